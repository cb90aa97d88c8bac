/** The predictions of explain besides the rules: sessions, origins, sizes, budgets. */
import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;
const WIKI = 'https://wiki.example.com/x';

const POLICY = `version: 1
gateway:
  tls: { cert_file: /c, key_file: /k }
  session: { keys_file: /s, idle: 8h, absolute: 12h }
providers:
  okta:
    kind: okta
    issuer: https://example.okta.com/oauth2/default
    audiences: [api://wiki]
    client: { id: x, secret_file: /run/s }
roles: { staff: { group: staff }, office: { network: [10.0.0.0/8] } }
services: { wiki: { insecure_url: http://wiki.internal } }
headers: { X-Groups: groups }
hosts:
  wiki.example.com:
    limit: { rate: 60/m, burst: 20 }
    /*: { service: wiki, accept: [bearer, session], allow: [staff] }
    /open/*: { service: wiki, allow: [office], cors: { origins: [https://app.example.com] } }
    /both/*: { service: wiki, allow: [office, { who: anyone, methods: [POST] }] }
`;

const claims = {
  iss: 'https://example.okta.com/oauth2/default',
  aud: 'api://wiki',
  sub: 'ann',
  exp: NOW + 60,
  iat: NOW,
  cid: 'x',
};

const explain = (args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(['explain', ...args], { files: { './meshgate.yaml': POLICY, ...files }, now: NOW });

const verdictOf = async (...args: readonly string[]) => (await explain(args)).out.split('\n')[1];

describe('a session', () => {
  test.each([
    ['11h', 'allowed by wiki.example.com/*#1'],
    ['12h', 'denied: session_expired (401)'],
    ['3d', 'denied: session_expired (401)'],
  ])('that began %s ago: %s', async (ago, verdict) => {
    expect(await verdictOf('--as', 'staff', '--signed-in', ago, 'GET', WIKI)).toContain(verdict);
  });

  test('is assumed to be fresh if its age is not given', async () => {
    const { out } = await explain(['--as', 'staff', 'GET', WIKI]);
    expect(out).toContain(
      'assumes   if the credential is a session, it began in the last 43200s and was used in the last 28800s\n',
    );
    expect(out).toContain('assumes   no limit is used up\n');
    expect(out).toContain('assumes   the identity headers fit into an answer\n');
    expect((await explain(['--as', 'staff', '--signed-in', '1h', 'GET', WIKI])).out).not.toContain('began in');
  });
});

describe('a page of another origin', () => {
  test.each([
    [['--as', 'staff', 'POST', WIKI], 'origin_refused'],
    [['--as', 'staff', 'GET', WIKI], 'allowed'],
    [
      ['--as', 'nobody', '--network', '10.1.2.3', 'POST', `${WIKI.slice(0, -1)}both/x`],
      'allowed by wiki.example.com/both/*#2',
    ],
  ] as const)('%j: %s', async (args, verdict) => {
    expect(await verdictOf('--origin', 'https://evil.example', ...args)).toContain(verdict);
  });

  test('has no role by the network of its reader', async () => {
    const requested = (origin: string) =>
      verdictOf('--network', '10.1.2.3', '--origin', origin, 'POST', `${WIKI.slice(0, -1)}open/x`);
    expect(await requested('https://evil.example')).toContain('denied: origin_refused (403)');
    expect(await requested('https://app.example.com')).toContain('allowed');
    expect(await requested('https://wiki.example.com')).toContain('allowed');
  });

  test('may send a token', async () => {
    const files = { 'token.txt': token({ ...claims, groups: ['staff'] }) };
    const { out } = await explain(['--token', 'token.txt', '--origin', 'https://evil.example', 'POST', WIKI], files);
    expect(out).toContain('allowed');
  });

  test('is requested where it decides', async () => {
    const line = 'assumes   a program sends it, or a page of this host: give --origin\n';
    expect((await explain(['--as', 'staff', 'POST', WIKI])).out).toContain(line);
    expect((await explain(['--as', 'staff', 'GET', WIKI])).out).not.toContain(line);
  });
});

describe('sizes', () => {
  const withGroups = (groups: readonly string[]) =>
    explain(['--token', 'token.txt', 'GET', WIKI], { 'token.txt': token({ ...claims, groups }) });

  test('identity headers that do not fit', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `group-number-${i}`);
    const { code, out } = await withGroups(['staff', ...many]);
    expect(code).toBe(1);
    expect(out).toContain('denied: claim_absent (401)\n  the value of X-Groups is too long for a header');
    expect((await withGroups(['staff'])).out).not.toContain('fit into an answer');
  });

  test('a header line that nginx rejects', async () => {
    const files = { 'token.txt': 'x'.repeat(33_000) };
    expect((await explain(['--token', 'token.txt', 'GET', WIKI], files)).out).toContain(
      'denied: header_too_large (400)',
    );
  });
});

test('as JSON', async () => {
  const { out } = await explain(['--as', 'staff', '--signed-in', '1h', '--format', 'json', 'GET', WIKI]);
  expect(JSON.parse(out)).toMatchObject({ allowed: true, assumes: expect.arrayContaining(['no limit is used up']) });
});

test.each([
  ['--origin', 'app.example.com', 'write an origin as browsers send it'],
  ['--origin', 'https://app.example.com/x', 'write an origin as browsers send it'],
  ['--signed-in', 'soon', 'write a duration'],
])('%s %s is an error', async (flag, value, message) => {
  const { code, err } = await explain([flag, value, 'GET', WIKI]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
