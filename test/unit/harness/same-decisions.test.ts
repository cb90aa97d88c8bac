/** The check that decides every line of a gateway again. */
import { expect, test } from 'vitest';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest } from '../../../src/rules/digest.ts';
import { readPolicy } from '../../harness/policy.ts';
import { expectSameDecisions } from '../../harness/same-decisions.ts';
import { lineText } from '../audit/logged.ts';
import { POLICY } from '../cli/fake.ts';

const policy = readPolicy(POLICY);
const digest = policyDigest(policy, compile(policy));
const line = (changed: Readonly<Record<string, unknown>> = {}) => lineText({ 'meshgate.policy': digest, ...changed });

test('accepts the lines of the policy, and other output of the container', () => {
  expectSameDecisions(policy, ['meshgate: started', line()]);
});

test('rejects a line that the policy decides differently', () => {
  expect(() => expectSameDecisions(policy, [line(), line({ 'user.roles': '' })])).toThrow(
    /decides 1 lines? .*differently/,
  );
});

test('leaves out lines of other policies', () => {
  expectSameDecisions(policy, [line({ 'user.roles': '', 'meshgate.policy': 'other' })]);
});

test('rejects a line whose roles are not those of its claims', () => {
  expectSameDecisions(policy, [line({ 'meshgate.claims': '{"groups":["readers"]}' })]);
  expect(() => expectSameDecisions(policy, [line({ 'meshgate.claims': '{"groups":["writers"]}' })])).toThrow(
    /other roles, reader/,
  );
});
