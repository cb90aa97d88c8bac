import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';
import { count, type Results, record, type State, sentence } from './results.ts';

/**
 * Prints a line for each skipped test, and `N passed, N failed` as the very last line. With MESHGATE_RESULTS it also
 * writes the results there, for the wrapper that adds up several runs.
 */
export default class Summary implements Reporter {
  /** Whether the run has only the tests whose names match `-t`. */
  #isPart = false;

  onInit({ config }: Vitest): void {
    this.#isPart = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const results: Results = {};
    for (const module of modules) add(results, module, this.#isPart);
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

/** A test that never ran because its run was interrupted has not passed. Neither has one that was skipped without a
 * reason, or, with CI=true, for any reason. */
function stateOf(test: TestCase): State {
  const result = test.result();
  if (result.state === 'pending') return 'failed';
  if (result.state !== 'skipped') return result.state;
  return !result.note || process.env.CI === 'true' ? 'failed' : 'skipped';
}

function add(results: Results, module: TestModule, isPart: boolean): void {
  const file = `${module.project.name} ${module.relativeModuleId}`;
  for (const test of module.children.allTests()) {
    const result = test.result();
    const isSkipped = result.state === 'skipped';
    const note = isSkipped ? result.note : undefined;
    // `-t` leaves out the others, and they count as nothing.
    if (isSkipped && !note && isPart) continue;
    const name = `${file} > ${test.fullName}`;
    const why = note ?? "no reason: call skip('what is missing') in the test";
    if (isSkipped) process.stdout.write(`skipped: ${name}: ${why}\n`);
    record(results, name, stateOf(test));
  }
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) record(results, `${file} > ${suite.fullName} (suite)`, 'failed');
  }
  if (module.errors().length > 0) record(results, `${file} (file)`, 'failed');
}
