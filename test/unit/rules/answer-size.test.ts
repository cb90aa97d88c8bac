import { expect, test } from 'vitest';
import { ANSWER_LARGE, ANSWER_SMALL } from '../../../src/base/limits.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { answerSize } from '../../../src/rules/table/answer-size.ts';

function sizeOf(headers: string, roles: readonly string[] = ['staff'], gateway = ''): number {
  const { policy, errors } = parsePolicy(
    `version: 1
${gateway}
providers: { idp: { issuer: https://idp.test, audiences: [wiki] } }
roles: { ${roles.map((role) => `${role}: { group: ${role} }`).join(', ')} }
services: { wiki: { url: https://wiki.test } }
headers: ${headers}
hosts: { wiki.test: { /*: { service: wiki, allow: [${roles.join(', ')}] } } }
`,
    'meshgate.yaml',
  );
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  return answerSize(policy, compile(policy));
}

const many = Array.from({ length: 40 }, (_, index) => `team-number-${index}`);

test.each([
  ['names and roles', '{ X-User: subject, X-Mail: email, X-Roles: roles }', undefined, undefined, ANSWER_SMALL],
  ['groups', '{ X-Groups: groups }', undefined, undefined, ANSWER_LARGE],
  ['a claim', '{ X-Dept: { claim: department } }', undefined, undefined, ANSWER_LARGE],
  ['many roles', '{ X-Roles: roles }', many, undefined, ANSWER_LARGE],
  [
    'one of two words',
    '{ X-Level: { first_role: { staff: Editor }, else: Viewer } }',
    undefined,
    undefined,
    ANSWER_SMALL,
  ],
  [
    'long texts in several headers',
    `{ ${[1, 2, 3].map((n) => `X-Level-${n}: { first_role: { staff: ${'x'.repeat(190)} }, else: Viewer }`).join(', ')} }`,
    undefined,
    undefined,
    ANSWER_LARGE,
  ],
  [
    'an assertion',
    '{ X-User: subject }',
    undefined,
    'gateway: { assertion: { issuer: https://wiki.test, keys_file: /run/keys.jwks } }',
    ANSWER_LARGE,
  ],
] as const)('%s', (_, headers, roles, gateway, size) => {
  expect(sizeOf(headers, roles, gateway)).toBe(size);
});
