import { expect } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { profiles } from '../../harness/profiles.ts';

/** Expects that a policy with a profile is valid, and that all of its policy tests pass. */
export function expectPasses(text: string): void {
  const { policy, errors } = parsePolicy(text, 'm.yaml', { profiles });
  expect(errors.map(formatError)).toEqual([]);
  const outcomes = policy === undefined ? [] : runTests({ policy, rules: compile(policy) }, 1_800_000_000);
  const failed = outcomes.filter(({ passed }) => !passed).map(({ test: it, got }) => `${it.method} ${it.url}: ${got}`);
  expect(failed).toEqual([]);
}
