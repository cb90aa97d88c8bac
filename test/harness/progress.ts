import { mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSpecification } from 'vitest/node';
import { forgetWaits, waits } from './waiting.ts';

/** The interval of the progress lines. */
const EVERY_MS = 15_000;

interface Running {
  readonly name: string;
  readonly since: number;
  test?: { readonly name: string; readonly since: number };
}

/** The durations of the last run: seconds and file, the longest first. */
const TIMES = 'test-results/times.tsv';

const seconds = (since: number): number => Math.round((performance.now() - since) / 1000);

/**
 * Prints one line every 15 seconds: the progress of the run, the running files with their durations, and what they wait
 * for. At the end `test-results/times.tsv` has the duration of each file.
 */
export default class Progress implements Reporter {
  readonly #running = new Map<string, Running>();
  readonly #times: [seconds: number, name: string][] = [];
  #began = 0;
  #files = 0;
  #done = 0;
  #passed = 0;
  #failed = 0;
  #timer: NodeJS.Timeout | undefined;

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#began = performance.now();
    this.#files = specifications.length;
    this.#timer = setInterval(() => process.stderr.write(`${this.line()}\n`), EVERY_MS);
    this.#timer.unref();
  }

  onTestModuleQueued(module: TestModule): void {
    const name = relative('test', module.relativeModuleId).replace(/\.test\.ts$/, '');
    this.#running.set(module.id, { name, since: performance.now() });
  }

  onTestCaseReady(test: TestCase): void {
    const running = this.#running.get(test.module.id);
    if (running !== undefined) running.test = { name: test.fullName, since: performance.now() };
  }

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === 'passed') this.#passed += 1;
    if (state === 'failed') this.#failed += 1;
  }

  onTestModuleEnd(module: TestModule): void {
    const running = this.#running.get(module.id);
    if (running !== undefined) this.#times.push([seconds(running.since), running.name]);
    this.#running.delete(module.id);
    this.#done += 1;
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
    forgetWaits();
    const lines = this.#times.sort(([a], [b]) => b - a).map(([took, name]) => `${took}\t${name}\n`);
    mkdirSync('test-results', { recursive: true });
    writeFileSync(TIMES, lines.join(''));
  }

  /** The progress of the run. */
  line(): string {
    const running = [...this.#running.values()].map(({ name, since, test }) => {
      const now = test === undefined ? 'starts' : `${test.name.slice(0, 60)} ${seconds(test.since)} s`;
      return `${name} ${seconds(since)} s (${now})`;
    });
    const waited = waits().map((what) => what.replace(/\s+/g, ' ').slice(0, 100));
    return [
      `tests: ${this.#done} of ${this.#files} files after ${seconds(this.#began)} s`,
      `${this.#passed} passed, ${this.#failed} failed`,
      ...(running.length > 0 ? [`running: ${running.join(', ')}`] : []),
      ...(waited.length > 0 ? [`waiting for ${waited.join('; ')}`] : []),
    ].join('; ');
  }
}
