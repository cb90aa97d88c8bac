import { describe, expect, it } from 'vitest';
import { buildCase } from './build.ts';
import { caseRunner, mismatch } from './case.ts';
import { specs } from './specs/index.ts';

describe('verifyToken', () => {
  const run = caseRunner();
  const cases = specs.map(buildCase);

  it('has a name of its own for each spec', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it.each(cases)('$name: $expected.outcome', async (testCase) => {
    expect(mismatch(testCase, await run(testCase))).toBeUndefined();
  });

  it('depends on no earlier run: all again, backwards, with the same imported keys', async () => {
    const wrong: string[] = [];
    for (const testCase of [...cases].reverse()) {
      const problem = mismatch(testCase, await run(testCase));
      if (problem !== undefined) wrong.push(problem);
    }
    expect(wrong).toEqual([]);
  });

  it('never puts token text into a detail', async () => {
    const leaks: string[] = [];
    for (const testCase of cases) {
      const { name, detail } = await run(testCase);
      const parts = testCase.token.split('.').filter((part) => part.length > 8);
      if (parts.some((part) => detail?.includes(part.slice(0, 16)))) leaks.push(name);
    }
    expect(leaks).toEqual([]);
  });
});
