/** `meshgate audit redecide`: lines on which the gateway decided otherwise than its policy. */
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest } from '../../../src/rules/digest.ts';
import { lineText, refused } from '../audit/logged.ts';
import { meshgate, POLICY } from './fake.ts';

const NEW = POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]');
const digestOf = (text: string) => {
  const policy = parsePolicy(text, 'x').policy!;
  return policyDigest(policy, compile(policy));
};
const [old, fresh] = [digestOf(POLICY), digestOf(NEW)];
const text = (changed: Readonly<Record<string, unknown>> = {}) => lineText({ 'meshgate.policy': old, ...changed });
const post = { 'http.request.method': 'POST' };
const denied = { ...refused('role_missing', 'reader', 'wiki.example.com/*#1'), ...post };
const files = {
  'old.yaml': POLICY,
  'new.yaml': NEW,
  'not.json': '{"rules":[]}',
  'right.log': `${text()}\n${text(denied)}\n${text(refused('token_expired', '', ''))}\n`,
  'both.log': `${text(denied)}\n${text({ ...post, 'meshgate.policy': fresh })}\n`,
  'forged.log': `${text({ ...denied, 'meshgate.reason': '' })}\n${text()}\n`,
  'text.log': `${text()}\nstarted\n`,
};
const run = (...args: readonly string[]) => meshgate(['audit', 'redecide', ...args], { files });

test('counts the lines that the gateway decided as its policy does', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'right.log');
  expect(code).toBe(0);
  expect(out).toBe(`3 lines: 2 decided as the gateway did, 0 otherwise
1 not decided by rules: the credential was refused before any rule, and no line contains a credential
`);
});

test('decides each line by the policy of its digest', async () => {
  const { code, out } = await run('--policy', 'old.yaml', '--policy', 'new.yaml', 'both.log');
  expect([code, out]).toEqual([0, '2 lines: 2 decided as the gateway did, 0 otherwise\n']);
});

test('names a line whose reason was removed', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'forged.log');
  expect(code).toBe(1);
  expect(out).toBe(`no forged.log:1: 9795ce5ecb841cd57231e9be6a3e3b4b POST https://wiki.example.com/rest/page (reader)
   the gateway: allowed by wiki.example.com/*#1, to wiki
   the policy:  refused: role_missing, nearest rule wiki.example.com/*#1
2 lines: 1 decided as the gateway did, 1 otherwise
`);
});

test('names the digest of a policy that is not given, and exits with 3', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'both.log');
  expect(code).toBe(3);
  expect(out).toContain(`no both.log:2: no policy has the digest ${fresh} (1 line): give it with --policy\n`);
});

test('names a line that cannot be read, and exits with 3', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'text.log');
  expect(code).toBe(3);
  expect(out).toContain('no text.log:2: not a JSON object\n');
});

test('the result as JSON', async () => {
  const { code, out } = await run('--json', '--policy', 'new.yaml', '--policy', 'old.yaml', 'forged.log');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    lines: 2,
    same: 1,
    differences: [
      { at: 'forged.log:1', digest: old, policy: 'refused: role_missing, nearest rule wiki.example.com/*#1' },
    ],
    unknownPolicies: [],
    invalid: [],
  });
});

test('a file that is no compiled policy is an error', async () => {
  const { code, err } = await run('--policy', 'not.json', 'right.log');
  expect(code).toBe(2);
  expect(err).toContain('not.json: not a compiled policy');
});
