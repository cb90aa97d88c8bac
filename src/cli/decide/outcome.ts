import { place } from '../../policy/index.ts';
import { messageText } from '../../rules/tools.ts';
import { count } from '../common/print.ts';
import { policyCallerText, ruleText } from '../common/words.ts';
import type { TestOutcome } from './policy-tests.ts';

/** Describes a test in words, with its place in the policy. */
export function testCaseText({ test, index }: Pick<TestOutcome, 'test' | 'index'>): string {
  const message = test.message === undefined ? '' : ` (${messageText(test.message)})`;
  const beside = test.serviceCredential === undefined ? '' : `, with a service’s ${test.serviceCredential}`;
  return `${place(test.at)} tests[${index}]: ${test.method} ${test.url}${message} as ${policyCallerText(test.as)}${beside}`;
}

/** Describes a failed test: the expected result, the actual result and the rule. */
export function failureText(outcome: TestOutcome): string {
  const { test, got, detail, rule } = outcome;
  const why = detail === undefined ? '' : ` (${detail})`;
  const by = got === 'allowed' ? 'by' : 'nearest rule';
  const deciding = rule === undefined ? '' : `; ${by} ${rule.id} at ${place(rule.at)}: ${ruleText(rule)}`;
  const came = got === test.expect ? `but ${detail}` : `got ${got}${why}`;
  return `${testCaseText(outcome)}: expected ${test.expect}, ${came}${deciding}`;
}

/** Says how many tests passed and how many failed. */
export function testsText(outcomes: readonly TestOutcome[]): string {
  const failed = outcomes.filter(({ passed }) => !passed).length;
  if (failed > 0) return `${failed} of ${count(outcomes.length, 'test')} ${failed === 1 ? 'fails' : 'fail'}`;
  if (outcomes.length === 0) return 'no tests';
  return `${count(outcomes.length, 'test')} ${outcomes.length === 1 ? 'passes' : 'pass'}`;
}

/** Returns a test's result as JSON. */
export const outcomeJson = ({ test, passed, got, detail, rule }: TestOutcome) => ({
  ...{ at: test.at, as: policyCallerText(test.as), method: test.method, url: test.url, message: test.message },
  ...{ serviceCredential: test.serviceCredential, expect: test.expect, got, passed, detail },
  ...{ rule: rule?.id, ruleAt: rule?.at },
});
