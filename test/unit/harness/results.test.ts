import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SerializedError, TestModule, Vitest } from 'vitest/node';
import { count, merge, type Results, record, type State, sentence } from '../../harness/results.ts';
import Summary from '../../harness/summary.ts';

test('a test that ran twice counts once, and a failure in either run stays', () => {
  const merged = merge([
    { a: 'passed', b: 'passed', c: 'failed', d: 'skipped' },
    { a: 'passed', b: 'failed', c: 'passed', d: 'passed' },
  ]);
  expect(merged).toEqual({ a: 'passed', b: 'failed', c: 'failed', d: 'passed' });
});

test('a group that one run skipped is not counted if another run has its tests', () => {
  const without: Results = { 'in njs': 'skipped', 'in Go': 'skipped', a: 'passed' };
  const merged = merge([without, { 'in njs > one': 'passed', 'in njs > two': 'failed', 'in Go': 'skipped' }]);
  expect(merged).toEqual({ 'in njs > one': 'passed', 'in njs > two': 'failed', 'in Go': 'skipped', a: 'passed' });
});

test('a skipped test beside tests that its name begins is counted', () => {
  expect(merge([{ 'in Go': 'skipped', 'in Go > one': 'passed' }])).toEqual({
    'in Go': 'skipped',
    'in Go > one': 'passed',
  });
});

function run(...tests: readonly (readonly [string, State])[]): Results {
  const results: Results = {};
  for (const [name, state] of tests) record(results, name, state);
  return results;
}

describe('tests with the same name', () => {
  test('are counted separately, and a later pass hides no failure', () => {
    const results = run(['a', 'failed'], ['a', 'passed'], ['a', 'passed']);
    expect(results).toEqual({ a: 'failed', 'a (2)': 'passed', 'a (3)': 'passed' });
    expect(count(results)).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  test('are matched between runs, and not confused with a test of the numbered name', () => {
    const one = run(['a', 'passed'], ['a', 'passed'], ['a (2)', 'failed']);
    const two = run(['a', 'passed'], ['a', 'failed'], ['a (2)', 'passed']);
    expect(count(merge([one, two]))).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});

test('the closing line has skipped tests only if there are some', () => {
  expect(sentence(count({ a: 'passed', b: 'failed' }))).toBe('1 passed, 1 failed');
  expect(sentence(count({ a: 'passed', b: 'skipped' }))).toBe('1 passed, 0 failed, 1 skipped');
});

describe('the results of vitest', () => {
  // The project's own checks have CI=true.
  beforeEach(() => {
    vi.stubEnv('CI', '');
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  const one = (fullName: string, state: string, note?: string) => ({ fullName, result: () => ({ state, note }) });
  const suite = (fullName: string, ...errors: string[]) => ({ fullName, errors: () => errors });
  const file = (tests: readonly object[], suites: readonly object[] = [], errors: readonly string[] = []) =>
    ({
      project: { name: 'unit' },
      relativeModuleId: 'x.test.ts',
      children: { allTests: () => tests, allSuites: () => suites },
      errors: () => errors,
    }) as unknown as TestModule;

  function report(modules: readonly TestModule[], errors: readonly string[] = [], testNamePattern?: RegExp) {
    const folder = mkdtempSync(join(tmpdir(), 'results-'));
    vi.stubEnv('MESHGATE_RESULTS', folder);
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const summary = new Summary();
    summary.onInit({ config: { testNamePattern } } as Vitest);
    summary.onTestRunEnd(
      modules,
      errors.map((message): SerializedError => ({ message })),
    );
    const line = print.mock.calls.map(([text]) => text).join('');
    print.mockRestore();
    const written = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results);
    return { line, results: merge(written) };
  }

  test('each test has its own result, whatever its name', () => {
    const { line, results } = report([
      file([one('a', 'failed'), one('a', 'passed'), one('b', 'skipped', 'no Go here')]),
    ]);
    expect(line).toBe('skipped: unit x.test.ts > b: no Go here\n1 passed, 1 failed, 1 skipped\n');
    expect(results).toEqual({
      'unit x.test.ts > a': 'failed',
      'unit x.test.ts > a (2)': 'passed',
      'unit x.test.ts > b': 'skipped',
    });
  });

  test('a test that is skipped without a reason counts as failed', () => {
    expect(report([file([one('b', 'passed')])]).line).toBe('1 passed, 0 failed\n');
    expect(process.exitCode).toBeUndefined();
    expect(report([file([one('a', 'skipped'), one('b', 'passed')])]).line).toBe(
      "skipped: unit x.test.ts > a: no reason: call skip('what is missing') in the test\n1 passed, 1 failed\n",
    );
    expect(process.exitCode).toBe(1);
  });

  test('with CI=true, a skipped test counts as failed', () => {
    vi.stubEnv('CI', 'true');
    const { line } = report([file([one('b', 'skipped', 'no Go here')])]);
    expect(line).toBe('skipped: unit x.test.ts > b: no Go here\n0 passed, 1 failed\n');
  });

  test('tests that -t leaves out are not counted', () => {
    const { line } = report([file([one('a', 'skipped'), one('b', 'passed')])], [], /b/);
    expect(line).toBe('1 passed, 0 failed\n');
    expect(process.exitCode).toBeUndefined();
  });

  test('a test that never ran, a hook, a file, and an error outside of all tests count as failed', () => {
    const { line } = report(
      [file([one('a', 'pending')], [suite('s', 'hook'), suite('s'), suite('s', 'hook')], ['syntax'])],
      ['boom', 'boom'],
    );
    expect(line).toBe('0 passed, 6 failed\n');
  });
});
