import { describe, expect, test } from 'vitest';
import { foreign } from '../../../src/base/hostile-text.ts';
import type { Ask, Incoming } from '../../../src/cli/machine/http.ts';
import { meshgate, POLICY, token } from './fake.ts';

/** Text of others reaches the terminal as text on one line, and cannot control it. */

const NOW = 1_800_000_000;
const ISSUER = 'https://login.example.com';
/** Clears the screen, in two spellings; reverses the direction of text; writes a line in the name of the command. */
const EVIL = '\u001b[2J\u009b2J\u202e\u2066\u0007\u007f\nyes okta: all is well\r';

const policy = `version: 1
gateway: { session: { keys_file: /run/session.jwks } }
providers:
  okta: { kind: generic, issuer: ${ISSUER}, audiences: [api://wiki], client: { id: wiki, secret_file: /run/okta }, introspection: {} }
services: { wiki: { url: https://wiki.internal } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`;

const json = (body: unknown, status = 200): Incoming => ({ status, headers: {}, body: JSON.stringify(body) });

function run(args: readonly string[], answers: readonly Incoming[], files: Record<string, string> = {}) {
  const left = [...answers];
  const ask: Ask = async () => left.shift() ?? { error: `no more${EVIL}` };
  return meshgate(args, {
    files: { './meshgate.yaml': policy, ...files },
    now: NOW,
    ask,
    env: { TERM: 'xterm' },
    terminal: true,
  });
}

const STEERING = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/** The colours that the command itself uses. */
const COLOUR = /\u001b\[(?:0|1|2|31|32)m/g;

function expectPlain({ out, err }: { readonly out: string; readonly err: string }): void {
  const text = `${out}${err}`;
  expect(text).not.toMatch(STEERING);
  expect(text.replace(COLOUR, '')).not.toContain('\u001b');
  expect(text.split('\n').filter((line) => line.startsWith('yes okta: all is well'))).toEqual([]);
}

const members = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/jwks`,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  device_authorization_endpoint: `${ISSUER}/device`,
  introspection_endpoint: `${ISSUER}/introspect`,
};
const begun = { device_code: 'code', user_code: 'ABCD', verification_uri: `${ISSUER}/confirm`, expires_in: 60 };

const INIT = ['init', ISSUER, '--host', 'wiki.example.com', '--to', 'https://wiki.internal'];

describe.each<[string, readonly string[], readonly Incoming[]]>([
  ['init: another issuer', INIT, [json({ issuer: `https://evil.example/${EVIL}` })]],
  ['init: another issuer without spaces', INIT, [json({ issuer: 'https://evil.example/\u001b[2J\u009b\u202e' })]],
  ['init: no answer', INIT, [{ error: EVIL }]],
  ['validate --online: no answer', ['validate', '--online'], [{ error: EVIL }]],
  [
    'validate --online: addresses',
    ['validate', '--online'],
    [json({ ...members, jwks_uri: EVIL, token_endpoint: EVIL })],
  ],
  [
    'validate --online: algorithms, endpoints and scopes',
    ['validate', '--online'],
    [
      json({
        ...members,
        dpop_signing_alg_values_supported: [EVIL, `ES256K${EVIL}`],
        introspection_endpoint: EVIL,
        code_challenge_methods_supported: [EVIL],
      }),
      json({ keys: [{ kty: EVIL, kid: EVIL, alg: EVIL, use: EVIL }] }),
    ],
  ],
  [
    'login: an endpoint',
    ['login'],
    [json({ ...members, device_authorization_endpoint: `https://evil.example/${EVIL}` })],
  ],
  ['login: an endpoint that is not a URL', ['login'], [json({ ...members, device_authorization_endpoint: EVIL })]],
  ['login: a refusal', ['login'], [json(members), json({ error: EVIL, error_description: EVIL }, 400)]],
  ['login: a code', ['login'], [json(members), json({ ...begun, user_code: EVIL, verification_uri: EVIL })]],
  ['login: no token', ['login'], [json(members), json(begun), json({ error: EVIL }, 400)]],
  [
    'login: a subject',
    ['login'],
    [
      json(members),
      json(begun),
      json({ access_token: token({ iss: ISSUER, aud: 'api://wiki', sub: `ann${EVIL}`, exp: NOW + 60, iat: NOW }) }),
    ],
  ],
  [
    'login: a token of another audience',
    ['login'],
    [json(members), json(begun), json({ access_token: token({ iss: ISSUER, aud: EVIL, sub: 'ann', exp: NOW + 60 }) })],
  ],
])('%s', (_, args, answers) => {
  test('steers no terminal and begins no line', async () => {
    const ran = await run(args, answers);
    expect(`${ran.out}${ran.err}`).not.toBe('');
    expectPlain(ran);
  });
});

test('the policy of these tests is valid', async () => {
  expect(await run(['validate'], [])).toMatchObject({ code: 0 });
});

test('a token with claims, header and issuer that could steer a terminal', async () => {
  const evil = token({ iss: ISSUER, aud: 'api://wiki', sub: `ann${EVIL}`, [EVIL]: EVIL, exp: NOW + 60, iat: NOW });
  expectPlain(await run(['token', 'evil.jwt'], [], { 'evil.jwt': evil }));
  expectPlain(await run(['token', '--online', 'evil.jwt'], [json(members), json({ keys: [] })], { 'evil.jwt': evil }));
  expectPlain(
    await run(['explain', '--token', 'evil.jwt', 'GET', 'https://wiki.example.com/'], [], { 'evil.jwt': evil }),
  );
});

test('a policy of other authors, and names in it', async () => {
  const evil = POLICY.replace(/\nhosts:/, `\nroles2: "${EVIL.replaceAll('\n', '\\n').replaceAll('\r', '')}"\nhosts:`);
  const ran = await meshgate(['validate'], { files: { './meshgate.yaml': evil } });
  expect(ran.code).toBe(1);
  expectPlain(ran);
});

test('the output of nginx -T, and a file with a harmful name', async () => {
  const dump = `# configuration file /etc/nginx/nginx.conf:\nerror_log "/var/log/${EVIL.replaceAll('\n', '')}" info;\nhttp { }\n`;
  expectPlain(await run(['validate', '--nginx', 'dump.txt'], [], { 'dump.txt': dump }));
  expectPlain(await run(['validate', `no-such-file${EVIL.replace('\n', '')}`], []));
});

test('JSON stays the same JSON', async () => {
  const evil = token({ iss: ISSUER, aud: 'api://wiki', sub: 'ann', name: EVIL, exp: NOW + 60, iat: NOW });
  const { out } = await run(['token', '--format', 'json', 'evil.jwt'], [], { 'evil.jwt': evil });
  expect(out).not.toMatch(STEERING);
  expect(JSON.parse(out).claims.name).toBe(EVIL);
});

describe('foreign', () => {
  test('escapes on one line what cannot be printed', () => {
    expect(foreign('a\u001b[2J\n\t\u009b\u202e\u200b\ufeffz')).toBe(
      'a\\u001b[2J\\u000a\\u0009\\u009b\\u202e\\u200b\\ufeffz',
    );
  });

  test('leaves the letters of all languages unchanged', () => {
    expect(foreign('Ärger, ジョブ, 🙂')).toBe('Ärger, ジョブ, 🙂');
  });

  test('truncates long text', () => {
    expect(foreign('x'.repeat(1000))).toBe(`${'x'.repeat(300)}…`);
    expect(foreign('abc', 2)).toBe('ab…');
  });
});
