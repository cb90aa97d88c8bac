import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { count, type Results, record, sentence } from './results.ts';

/**
 * Prints `N passed, N failed` as the very last line. With MESHGATE_RESULTS it also writes the results there, for the
 * wrapper that adds up several runs.
 */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const results: Results = {};
    for (const module of modules) add(results, module);
    for (const { message } of errors) record(results, `unhandled error: ${message}`, 'failed');
    const folder = process.env.MESHGATE_RESULTS;
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `vitest-${Date.now()}-${process.pid}.json`), JSON.stringify(results));
    }
    process.stdout.write(`${sentence(count(results))}\n`);
  }
}

function add(results: Results, module: TestModule): void {
  const file = `${module.project.name} ${module.relativeModuleId}`;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    // A test that never ran because its run was broken off has not passed.
    record(results, `${file} > ${test.fullName}`, state === 'pending' ? 'failed' : state);
  }
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) record(results, `${file} > ${suite.fullName} (suite)`, 'failed');
  }
  if (module.errors().length > 0) record(results, `${file} (file)`, 'failed');
}
