import { describe, expect, test } from 'vitest';
import { providerKindNames } from '../../../src/providers/index.ts';
import { kindRun } from './kinds.ts';
import { kindMismatch, kindRunner, runKinds } from './run.ts';

const run = kindRun();

describe.each(providerKindNames)('a token of %s', async (kind) => {
  const ask = await kindRunner(run);
  const cases = run.cases.filter((one) => one.kind === kind);

  test('has a table of at least ten near misses, no line twice', () => {
    expect(cases.filter(({ expected }) => expected !== 'allowed').length).toBeGreaterThanOrEqual(10);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases)('$name: $expected', async (one) => {
    expect(kindMismatch(one, await ask(one))).toBeUndefined();
  });
});

test('no row depends on the earlier ones', async () => {
  expect(await runKinds(run)).toEqual([]);
});

test('a row with another result is reported', async () => {
  const [first] = run.cases;
  expect(kindMismatch(first!, { outcome: 'role_missing', detail: '' })).toMatch(/got role_missing/);
  expect(kindMismatch({ ...first!, says: 'x' }, { outcome: 'allowed', detail: '' })).toMatch(/expected allowed \(x\)/);
});
