import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'meshgate-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'test/unit/fuzz'), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
symlinkSync(join(root, 'test/harness'), join(folder, 'test/harness'));
copyFileSync(join(import.meta.dirname, 'false.ts'), join(folder, 'test/unit/fuzz/false.test.ts'));

const cases = join(folder, 'cases.jsonl');
const PATH = 'test/unit/fuzz/false.test.ts >';

function run(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const { MESHGATE_SEED: _, MESHGATE_FUZZ_MS: __, FORCE_COLOR: ___, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...rest, NO_COLOR: '1', MESHGATE_CASES: cases, ...env },
  });
  return { status, text: stdout + stderr };
}

const runTests = () => run('node_modules/vitest/vitest.mjs', ['run'], {});
const fuzz = (env: Readonly<Record<string, string>>) => run('test/fuzz/fuzz.ts', [], env);

describe.sequential('a property that is false for a few values', () => {
  test('passes a normal run, which tries few values', () => {
    expect(runTests().status).toBe(0);
  });

  test('is found and stored, as its value or as the path to it', () => {
    const { status, text } = fuzz({ MINUTES: '0.01' });
    expect([status, text]).toEqual([1, expect.stringMatching(/^round 1 of unit, seed \w+: 3 properties/)]);
    expect(text).toMatch(`runs  ${PATH} no integer is large\n      stored in cases.jsonl: {"property":`);
    expect(text).toMatch(/^holds +\d+ runs {2}test\/unit\/fuzz\/false\.test\.ts > every integer is whole$/m);
    const stored = readFileSync(cases, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(stored.sort((a, b) => a.property.localeCompare(b.property))).toEqual([
      {
        property: `${PATH} no bigint is large, nor after a promise`,
        seed: expect.any(Number),
        path: expect.any(String),
        shown: '[1050n]',
      },
      { property: `${PATH} no integer is large`, values: [{ n: 2_000_000_000 }] },
    ]);
  });

  test('fails each normal run from then on, by the stored case', () => {
    const { status, text } = runTests();
    expect(status).toBe(1);
    expect(text).toContain('Counterexample: [{"n":2000000000}]');
    expect(text).toContain('Counterexample: [1050n]');
    expect(text).toContain('a stored case of test/cases.jsonl fails:');
    expect(text).toContain('2 failed | 1 passed');
  });

  test('is stored once', () => {
    const before = readFileSync(cases, 'utf8');
    expect(fuzz({ MINUTES: '0.001' }).status).toBe(1);
    expect(readFileSync(cases, 'utf8')).toBe(before);
  });
});

test.each([
  [{ MINUTES: 'x' }, 'MINUTES=x: write a number of minutes, for example MINUTES=5'],
  [{ PART: 'nowhere' }, 'no file of test/ with a property or a hunt has nowhere in its path'],
])('%j is wrong use', (env, message) => {
  const { status, text } = fuzz(env);
  expect([status, text.trim()]).toEqual([2, message]);
});
