import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { casesFile, storeCase } from '../harness/cases.ts';
import type {} from './searched.ts';

const stored = relative(process.cwd(), casesFile);

/** Prints a line for each property or hunt that was searched, and for each failed test. Stores the counterexamples. */
export default class FuzzReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const searched = test.meta().searched ?? [];
    const whats = [...new Set(searched.map(({ what }) => what))];
    for (const what of whats) {
      const own = searched.filter((one) => one.what === what);
      const runs = own.reduce((sum, one) => sum + one.runs, 0);
      const found = own.flatMap((one) => one.found);
      console.log(`${found.length === 0 ? 'holds' : 'FOUND'} ${String(runs).padStart(8)} runs  ${what}`);
      for (const one of found) {
        storeCase(one);
        console.log(`      stored in ${stored}: ${JSON.stringify(one)}`);
      }
    }
    if (test.result().state !== 'failed') return;
    const [error] = test.result().errors ?? [];
    console.log(
      `FAILED ${test.module.relativeModuleId} > ${test.fullName}\n${error?.message ?? ''}`.replaceAll('\n', '\n      '),
    );
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const { message } of [...errors, ...modules.flatMap((module) => module.errors())])
      console.log(`FAILED ${message}`);
  }
}
