import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { count, type Results, record, type State, sentence } from './results.ts';

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
    const counted = count(results);
    // A skip without a reason is no failure for vitest.
    if (counted.failed > 0) process.exitCode = 1;
    process.stdout.write(`${sentence(counted)}\n`);
  }
}

/** A test that never ran because its run was interrupted has not passed, and neither has one that was skipped without a
 * reason. */
function stateOf(test: TestCase): State {
  const result = test.result();
  if (result.state === 'pending') return 'failed';
  return result.state === 'skipped' && !result.note ? 'failed' : result.state;
}

function add(results: Results, module: TestModule): void {
  const file = `${module.project.name} ${module.relativeModuleId}`;
  for (const test of module.children.allTests()) {
    record(results, `${file} > ${test.fullName}`, stateOf(test));
  }
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) record(results, `${file} > ${suite.fullName} (suite)`, 'failed');
  }
  if (module.errors().length > 0) record(results, `${file} (file)`, 'failed');
}
