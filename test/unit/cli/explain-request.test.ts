/** `meshgate explain --request`: from the id on a denied page to the reason, by the line of the log. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest } from '../../../src/rules/digest.ts';
import { readPolicy } from '../../harness/policy.ts';
import { lineText, refused } from '../audit/logged.ts';
import { meshgate, POLICY } from './fake.ts';

const parsed = readPolicy(POLICY);
const digest = policyDigest(parsed, compile(parsed));
const id = (first: string) => first.padEnd(32, '0');
const base = { 'meshgate.policy': digest, 'http.response.status_code': 403 };
const post = { 'http.request.method': 'POST', 'url.path': '/page' };
const line = (first: string, changed: Readonly<Record<string, unknown>>) =>
  lineText({ ...base, request_id: id(first), ...changed });

const DENIED = { ...refused('role_missing', 'reader', 'wiki.example.com/*#1'), ...post };
const LOG = [
  'started',
  line('a1', DENIED),
  line('a2', { ...DENIED, 'meshgate.claims': '{"groups":["readers"]}' }),
  line('a3', { 'http.response.status_code': 200 }),
  line('a4', {}),
  line('a5', { ...refused('token_expired', '', ''), 'http.response.status_code': 401, 'user.id': '' }),
  line('a6', { ...refused('limit_exceeded', 'reader', 'wiki.example.com/*#1'), 'http.response.status_code': 429 }),
  line('a7', { ...DENIED, 'meshgate.policy': '0'.repeat(32) }),
  line('a8', { ...DENIED, 'meshgate.rule': 'wiki.example.com/*#2' }),
  line('a9', {
    ...{ 'meshgate.rule': '', 'meshgate.service': '', 'http.route': '-', 'http.response.status_code': 204 },
    ...{ 'user.id': '', 'user.roles': '', 'meshgate.provider': '', 'meshgate.identity': '' },
  }),
  line('b1', {
    ...{ 'meshgate.reason': 'route_unknown', 'url.path': '/.meshgate/x', 'http.route': '-', 'meshgate.rule': '' },
    ...{ 'user.id': '', 'user.roles': '', 'meshgate.provider': '', 'http.response.status_code': 404 },
  }),
  line('b2', { ...refused('credential_missing', '', 'wiki.example.com/*#1'), 'user.id': '', 'meshgate.provider': '' }),
  line('b3', DENIED),
  line('b3', { ...DENIED, time: '2026-03-05T08:00:00+00:00' }),
].join('\n');

const files = {
  './meshgate.yaml': POLICY,
  'access.log': LOG,
  'copy.log': LOG,
  'other.log': `${lineText()}\n`,
  'cut.log': `${lineText()}\n{"request_id":"${id('ee')}","url.path":`,
};
const explain = (first: string, ...args: readonly string[]) =>
  meshgate(['explain', '--request', id(first), '--log', 'access.log', ...args], { files });

describe('a refused request', () => {
  test('shows what the gateway did, each rule, and what the missing role requires', async () => {
    const { code, out, err } = await explain('a1');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toContain(`request   ${id('a1')}, at 2026-03-04T10:15:02+00:00, access.log:2
answered  403
gateway   refused: role_missing, nearest rule wiki.example.com/*#1
POST https://wiki.example.com/page
denied: role_missing (403)
`);
    expect(out).toContain('caller    "okta-ben" of okta; roles in the log: reader\n');
    expect(out).toMatch(/ {6}yes role "reader": in the log .*\n {6}no {2}method POST in GET HEAD/);
    expect(out).toMatch(/ {6}no {2}role "editor": not in the log .*\n {8}\? {3}any /);
    expect(out).toMatch(/\? {3}group "editors".*: the log has no claims \(gateway\.audit\.claims\)/);
    expect(out).toContain('role editor would pass, by wiki.example.com/*#2\n');
  });

  test('with claims in the line, shows which claim is missing', async () => {
    const { out } = await explain('a2');
    expect(out).toContain('no  group "editors"');
    expect(out).not.toContain('the log has no claims');
  });

  test('whose credential was refused has no rules, and says what to do', async () => {
    const { code, out } = await explain('a5');
    expect(code).toBe(1);
    expect(out).toContain('denied: token_expired (401)\n  The token has expired. Get a new token.\n');
    expect(out).not.toContain('rules\n');
  });

  test('that a rule allowed and a budget refused shows the reason and the rule', async () => {
    const { code, out } = await explain('a6');
    expect(code).toBe(1);
    expect(out).toContain('denied: limit_exceeded (429)');
    expect(out).toContain('yes wiki.example.com/*#1');
  });

  test('without a credential, or without a route', async () => {
    const { code, out } = await explain('b2');
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('denied: credential_missing') });
    expect(out).toMatch(/ {6}no {2}role "reader": no caller has it without a credential .*\n {6}yes method/);
    expect(await explain('b1')).toMatchObject({ code: 1, out: expect.stringContaining('denied: route_unknown (404)') });
  });
});

describe('an allowed request', () => {
  test('is allowed by its rule', async () => {
    const { code, out } = await explain('a3');
    expect(code).toBe(0);
    expect(out).toContain('allowed by wiki.example.com/*#1');
    expect(out).toContain('answered  200\n');
  });

  test('that the service refused says so', async () => {
    const { code, out } = await explain('a4');
    expect(code).toBe(0);
    expect(out).toContain('answered  403, by service wiki or the mesh before it\n');
  });

  test('that the gateway answered itself says so', async () => {
    const { code, out } = await explain('a9');
    expect(code).toBe(0);
    expect(out).toContain('the gateway answered it itself, and no rule decided (answered 204 without a rule)');
  });
});

describe('warns', () => {
  test('of another policy', async () => {
    const { code, err } = await explain('a7');
    expect(code).toBe(1);
    expect(err).toBe(
      `meshgate: another policy decided this request: the line has the digest ${'0'.repeat(32)}, and meshgate.yaml has ${digest}; the explanation says what meshgate.yaml does\n`,
    );
  });

  test('of a gateway that decided otherwise by the same policy', async () => {
    const { err } = await explain('a8');
    expect(err).toMatch(
      /^meshgate: the gateway decided otherwise, although its policy is this one: .*nearest rule wiki\.example\.com\/\*#2; the policy: .*nearest rule wiki\.example\.com\/\*#1\n$/,
    );
  });
});

describe('finds the line', () => {
  test('in one of several files, and counts a copy once', async () => {
    const { code, out } = await explain('a1', '--log', 'copy.log', '--log', 'other.log');
    expect(code).toBe(1);
    expect(out).toContain('access.log:2');
  });

  test('with the policy as an argument, and an id in upper case', async () => {
    const args = ['explain', '--request', id('A1'), '--log', 'access.log', './meshgate.yaml'];
    expect(await meshgate(args, { files })).toMatchObject({ code: 1, out: expect.stringContaining('role_missing') });
  });

  test('as JSON', async () => {
    const { code, out } = await explain('a1', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      request: { at: 'access.log:2', id: id('a1'), status: 403, reason: 'role_missing', policy: digest },
      remarks: [],
      method: 'POST',
      url: 'https://wiki.example.com/page',
      allowed: false,
      reason: 'role_missing',
    });
  });
});

describe('says in plain words', () => {
  const fails = async (args: readonly string[], text: string | RegExp) => {
    const { code, out, err } = await meshgate(['explain', ...args], { files });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(text);
  };
  const ask = ['--request', id('a1')];

  test.each<[string, readonly string[], string | RegExp]>([
    [
      'that a line with the id cannot be read',
      ['--request', id('ee'), '--log', 'cut.log'],
      /no line of cut\.log has the request_id e{2}0{30}, of 2 lines; 1 line of them cannot be read, first cut\.log:2: not a JSON object; /,
    ],
    [
      'that no line has the id',
      ['--request', id('ff'), '--log', 'access.log'],
      /no line of access\.log has the request_id f{2}0{30}, of 14 lines; .* it is the file gateway\.audit\.log/,
    ],
    [
      'that several requests have it',
      ['--request', id('b3'), '--log', 'access.log'],
      /several requests .*: access\.log:13 at .*, access\.log:14 at 2026-03-05/,
    ],
    ['that the id is malformed', ['--request', 'a1', '--log', 'access.log'], /32 hexadecimal digits of request_id/],
    ['that the log is missing', ask, '--request needs a log: add --log FILE'],
    [
      'that the file does not exist',
      [...ask, '--log', 'gone.log'],
      'cannot read the log gone.log: there is no such file',
    ],
    [
      'that --log alone does nothing',
      ['--log', 'access.log', 'GET', 'https://a.test/'],
      '--log has no effect without --request',
    ],
    ['that METHOD and URL are missing', [], 'write METHOD and URL'],
    ['that URL is missing', ['GET'], 'write METHOD and URL'],
    [
      'that method and URL come from the log',
      [...ask, '--log', 'access.log', 'GET', 'https://a.test/'],
      'from the log: leave them out',
    ],
    ['that the caller comes from the log', [...ask, '--log', 'access.log', '--as', 'editor'], 'leave --as out'],
    [
      'that the session comes from the log',
      [...ask, '--log', 'access.log', '--signed-in', '9h'],
      'leave --signed-in out',
    ],
    [
      'that only one file can be standard input',
      [...ask, '--log', '-', '-'],
      'only one file can come from standard input',
    ],
    ['that a compiled policy has no places', [...ask, '--log', 'access.log', 'policy.json'], 'give the policy file'],
  ])('%s', (_, args, text) => fails(args, text));
});
