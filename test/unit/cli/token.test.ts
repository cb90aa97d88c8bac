import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Ask } from '../../../src/cli/machine/http.ts';
import { meshgate, POLICY, token } from './fake.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://login.example.com';
const claims = (more = {}) => ({
  iss: ISSUER,
  aud: 'api://wiki',
  sub: 'ada',
  exp: NOW + 3600,
  groups: ['readers'],
  ...more,
});

const run = (text: string, args: readonly string[] = [], ask?: Ask) =>
  meshgate(['token', 't.txt', ...args], { files: { './meshgate.yaml': POLICY, 't.txt': text }, ...(ask && { ask }) });

describe('meshgate token', () => {
  test('names the provider that accepts it, the roles that it gives, and the routes that it may use', async () => {
    const { code, out, err } = await run(token(claims({ iat: NOW - 5 }), { kid: 'k1' }));
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`token      JWT: at+jwt, RS256, kid k1
provider   okta (https://login.example.com)
accepted   yes, until 2027-01-15T09:00:00Z
caller     "okta-ada" of okta; roles: reader
signature  not checked: anyone can write a token with these claims; --online asks the provider
claims
  iss     "https://login.example.com"
  aud     "api://wiki"
  sub     "ada"
  exp     1800003600  2027-01-15T09:00:00Z
  groups  ["readers"]
  iat     1799999995  2027-01-15T07:59:55Z
roles
  yes role "reader"  meshgate.yaml:7:3
    yes group "readers" of okta  meshgate.yaml:7:3
  ?   role "editor"  meshgate.yaml:8:3
    ?   any  meshgate.yaml:8:3
      no  group "editors" of okta  meshgate.yaml:10:9
      ?   all  meshgate.yaml:11:9
        ?   claim "dept" is "wiki" of okta: the token does not say  meshgate.yaml:12:13
  no  role "builder"  meshgate.yaml:14:3
    no  all  meshgate.yaml:14:3
      no  provider "ci"  meshgate.yaml:14:20
      ?   scope "build": the token does not say  meshgate.yaml:14:38
  ?   role "admin"  meshgate.yaml:15:3
    ?   all  meshgate.yaml:15:3
      ?   role "editor"  meshgate.yaml:15:18
        ?   any  meshgate.yaml:8:3
          no  group "editors" of okta  meshgate.yaml:10:9
          ?   all  meshgate.yaml:11:9
            ?   claim "dept" is "wiki" of okta: the token does not say  meshgate.yaml:12:13
      ?   claim "level" is 3 of okta: the token does not say  meshgate.yaml:15:26
routes
  wiki.example.com/*: GET HEAD: by wiki.example.com/*#1
  wiki.example.com/*: POST PUT PATCH DELETE: role_missing
  wiki.example.com/admin/*: any method: role_missing
  wiki.example.com/status: any method: by wiki.example.com/status#1
`);
  });

  test('never prints a signature, or the token', async () => {
    const text = token(claims());
    for (const args of [[], ['--format', 'json'], ['GET', 'https://wiki.example.com/']]) {
      const { out, err } = await run(text, args);
      for (const part of text.split('.')) expect(out + err).not.toContain(part);
    }
  });

  test('explains a given request', async () => {
    const { code, out } = await run(token(claims()), ['POST', 'https://wiki.example.com/page']);
    expect(code).toBe(1);
    expect(out).toContain('POST https://wiki.example.com/page\ndenied: role_missing (403)\n');
    expect(out).toContain('role editor would pass');
    expect(out).not.toContain('routes\n');
    expect((await run(token(claims()), ['GET', 'https://wiki.example.com/page'])).code).toBe(0);
  });

  test.each([
    [
      'another audience',
      claims({ aud: 'api://other' }),
      {},
      'audience_mismatch (401)\n           the token is for "api://other"',
    ],
    ['expired', claims({ exp: NOW - 3600 }), {}, 'token_expired (401)'],
    ['an ID token', claims({ nonce: 'x' }), { typ: 'JWT' }, 'type_refused (401)'],
    ['another issuer', claims({ iss: 'https://login.example.com/' }), {}, 'issuer_unknown (401)'],
    ['another algorithm', claims(), { alg: 'HS256' }, 'algorithm_refused (401)'],
  ])('%s: the reason why it is rejected', async (_, payload, header, words) => {
    const { code, out } = await run(token(payload, header));
    expect(code).toBe(1);
    expect(out).toContain(`accepted   no: ${words}`);
    expect(out).not.toContain('routes\n');
  });

  test.each([
    ['opaque', 'v2.opaque-text', 'opaque: only its provider knows what it means'],
    ['encrypted', 'a.b.c.d.e', 'encrypted (JWE)'],
    ['broken', 'a.b.c', 'JWT, which cannot be read'],
  ])('%s: what it is, and no part of it', async (form, text, words) => {
    const { code, out } = await run(`Bearer ${text}\n`);
    expect([code, out.split('\n')[0]]).toEqual([1, expect.stringContaining(words)]);
    expect(out).not.toContain(text);
    const json = JSON.parse((await run(text, ['--format', 'json'])).out);
    expect(json).toMatchObject({ form: form === 'broken' ? 'jwt' : form, taken: false, reason: 'token_malformed' });
  });

  test('a claim cannot steer the terminal', async () => {
    const { out } = await run(token(claims({ name: '\u001b[2J\u009b\u202e', '\u001b[1m': 1 })));
    expect(out).not.toMatch(/[\u001b\u009b\u202e]/);
    expect(out).toContain('\\u001b[2J\\u009b\\u202e');
  });

  test('reports that a token is bound to a key', async () => {
    const bound = { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' };
    const text = token(claims({ cnf: bound }));
    expect((await run(text)).out).toContain('the policy accepts no proofs: add gateway.proof');
    const files = { './meshgate.yaml': POLICY.replace('insecure_http: true', '$&, proof: {}'), 't.txt': text };
    expect((await meshgate(['token', 't.txt'], { files })).out).toContain('bound      to a key (dpop)');
    const explained = await meshgate(['explain', '--token', 't.txt', 'GET', 'https://wiki.example.com/'], { files });
    expect(explained.out).toContain('bound to a key (dpop): each request must prove its possession');
  });

  test('as JSON', async () => {
    const json = JSON.parse((await run(token(claims()), ['--format', 'json', 'GET', 'https://wiki.example.com/'])).out);
    expect(json).toMatchObject({
      form: 'jwt',
      provider: 'okta',
      taken: true,
      signature: 'not checked',
      caller: { subject: 'okta-ada', roles: ['reader'] },
      request: { allowed: true, rule: { id: 'wiki.example.com/*#1' } },
    });
  });

  test.each([
    [['token', '-', '--policy', '-'], 'only one file can come from standard input'],
    [['token', 't.txt', 'GET'], 'METHOD and URL go together'],
    [['token', 't.txt', 'GET', '?'], 'names no host'],
    [['token', 't.txt', '--online'], 'token --online needs Node: run "npx meshgate token --online …"'],
  ])('%j is wrong use', async (args, words) => {
    const { code, err } = await meshgate(args, { files: { './meshgate.yaml': POLICY, 't.txt': token(claims()) } });
    expect([code, err]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe('meshgate token --online', () => {
  const JWKS = 'https://keys.example.com/jwks';
  let signed: string;
  let jwks: unknown;
  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' }] };
    signed = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
      .sign(privateKey);
  });

  const provider =
    (more: Readonly<Record<string, unknown>> = {}): Ask =>
    async ({ name, target }) => {
      const found = name === 'keys.example.com' ? jwks : { issuer: ISSUER, jwks_uri: JWKS, ...more };
      expect(`https://${name}${target}`).toMatch(/^https:\/\/(login|keys)\.example\.com\//);
      return { status: 200, headers: {}, body: JSON.stringify(found) };
    };

  test('a signature is valid or not', async () => {
    const good = await run(signed, ['--online'], provider());
    expect([good.code, good.out]).toEqual([
      0,
      expect.stringContaining('signature  valid, verified with the provider\'s key "k1"'),
    ]);
    const [header, , signature] = signed.split('.');
    const payload = Buffer.from(JSON.stringify(claims({ groups: ['editors'] }))).toString('base64url');
    const forged = await run([header, payload, signature].join('.'), ['--online'], provider());
    expect([forged.code, forged.out]).toEqual([1, expect.stringContaining('signature  signature_invalid')]);
    const other = await run(token(claims(), { kid: 'k2' }), ['--online', '--format', 'json'], provider());
    expect([other.code, JSON.parse(other.out).signature.reason]).toEqual([1, 'key_unknown']);
  });

  test('a provider that does not answer, or is another one, is an error', async () => {
    const away: Ask = async () => ({ error: 'ECONNREFUSED' });
    for (const ask of [away, provider({ issuer: 'https://other.example.com' }), provider({ jwks_uri: 'http://x/' })]) {
      const { code, out } = await run(signed, ['--online'], ask);
      expect([code, out]).toEqual([1, expect.stringContaining('signature  provider_unavailable')]);
    }
  });

  test('no call is made for a token of an unknown provider', async () => {
    const never: Ask = async () => expect.unreachable();
    expect((await run(token(claims({ iss: 'https://x.example' })), ['--online'], never)).code).toBe(1);
    expect((await run('opaque', ['--online'], never)).code).toBe(1);
  });
});

describe('meshgate token --online with a token that only its provider can read', () => {
  const SECRET = 'hidden-secret';
  const TEXT = 'opaque-text-of-a-person';
  const ASKED = `${ISSUER}/introspect`;
  const query = (more = 'introspection: { cache: 60s }') =>
    POLICY.replace('okta- } }', `okta- }, client: { id: gate, secret_file: /run/secrets/okta }, ${more} }`);
  const good = { active: true, token_type: 'Bearer', client_id: 'cli', token: TEXT, ...claims() };

  interface Given {
    readonly says?: object;
    readonly status?: number;
    readonly discovered?: object;
    readonly text?: string;
    readonly policy?: string;
    readonly secret?: string;
    readonly args?: readonly string[];
  }

  async function ask({ says = good, status = 200, discovered = {}, secret = SECRET, ...given }: Given) {
    const requested: { authorization: string | undefined; body: string | undefined }[] = [];
    const network: Ask = async ({ name, target, method, headers, body }) => {
      if (method === 'GET') {
        const members = { issuer: ISSUER, jwks_uri: JWKS, introspection_endpoint: ASKED, ...discovered };
        return { status: 200, headers: {}, body: JSON.stringify(name === 'keys.example.com' ? jwks : members) };
      }
      expect(`https://${name}${target}`).toBe(ASKED);
      requested.push({ authorization: headers.Authorization, body });
      const isKnown = headers.Authorization === `Basic ${Buffer.from(`gate:${SECRET}`).toString('base64')}`;
      if (!isKnown) return { status: 401, headers: {}, body: '{"error":"invalid_client"}' };
      return { status, headers: {}, body: JSON.stringify(says) };
    };
    const { text = TEXT, policy = query(), args = [] } = given;
    const files = { './meshgate.yaml': policy, 't.txt': text, ...(secret && { '/run/secrets/okta': secret }) };
    const ran = await meshgate(['token', 't.txt', '--online', ...args], { files, ask: network });
    for (const hidden of [SECRET, text, ...text.split('.')]) expect(ran.out + ran.err).not.toContain(hidden);
    return { ...ran, requested };
  }

  const JWKS = 'https://keys.example.com/jwks';
  let jwks: unknown;
  let signed: string;
  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' }] };
    signed = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt' }).sign(privateKey);
  });

  test('calls the provider, as the policy’s OAuth client, and validates the answer', async () => {
    const { code, out, err, requested } = await ask({});
    expect([code, err]).toEqual([0, '']);
    expect(requested.map(({ body }) => body)).toEqual([`token=${TEXT}&token_type_hint=access_token`]);
    expect(out.split('\n').slice(0, 5)).toEqual([
      'token      opaque: only its provider knows what it means',
      `provider   okta (${ISSUER})`,
      'asked      the provider says that the token is active',
      'accepted   yes, until 2027-01-15T09:00:00Z',
      'caller     "okta-ada" of okta; roles: reader',
    ]);
    expect(out).toContain('wiki.example.com/*: GET HEAD: by wiki.example.com/*#1');
    expect(out).not.toContain('signature');
  });

  test('works with a newer secret that the provider does not know yet', async () => {
    const { code, requested } = await ask({ secret: `newer\n${SECRET}\n` });
    expect([code, requested.length]).toEqual([0, 2]);
  });

  test('as JSON, and with a request', async () => {
    const run = (more: Given) => ask({ ...more, args: ['--format', 'json', 'POST', 'https://wiki.example.com/page'] });
    expect(JSON.parse((await run({})).out)).toMatchObject({
      ...{ form: 'opaque', active: true, taken: true, provider: 'okta', caller: { subject: 'okta-ada' } },
      request: { allowed: false, reason: 'role_missing' },
    });
    expect(JSON.parse((await run({ says: { active: false } })).out)).toMatchObject({
      ...{ active: false, taken: false, reason: 'token_inactive', request: { reason: 'token_inactive' } },
    });
  });

  test.each<[string, Given, string]>([
    ['is not active', { says: { active: false } }, 'token_inactive (401)'],
    ['is for others', { says: { ...good, aud: 'x' } }, 'audience_mismatch (401)'],
    ['is a refresh token', { says: { ...good, token_type: undefined } }, 'type_refused (401)'],
    [
      'is bound, where no proof is accepted',
      { says: { ...good, cnf: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' } } },
      'proof_missing (401)',
    ],
    ['is not answered for', { status: 500 }, 'the introspection endpoint answered 500'],
    ['is asked about by a stranger', { secret: 'other' }, 'it does not allow this client to ask'],
    ['has a secret elsewhere', { secret: '' }, '/run/secrets/okta: there is no such file'],
    [
      'has no endpoint',
      { discovered: { introspection_endpoint: undefined } },
      'its discovery document has no "introspection_endpoint"',
    ],
    [
      'is sent to a private address',
      { discovered: { introspection_endpoint: 'https://127.0.0.1/x' } },
      '"introspection_endpoint" points to the address "127.0.0.1"',
    ],
  ])('%s: rejected', async (_, given, words) => {
    const { code, out } = await ask(given);
    expect([code, out]).toEqual([1, expect.stringContaining(words)]);
    expect(out).toContain('accepted   no: ');
  });

  test('a JWT that the policy has introspected too', async () => {
    const policy = query('introspection: { cache: 60s, jwts: true }');
    const good = await ask({ policy, text: signed });
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('signature  valid')]);
    expect(good.out).toContain('says that the token is active');
    const ended = await ask({ policy, text: signed, says: { active: false } });
    expect([ended.code, ended.out]).toEqual([1, expect.stringContaining('no: token_inactive')]);
    const forged = `${signed.slice(0, -8)}AAAAAAAA`;
    expect((await ask({ policy, text: forged })).requested).toEqual([]);
    expect((await ask({ text: signed })).requested).toEqual([]);
  });

  test('without --online it names the provider that would be called', async () => {
    const files = { './meshgate.yaml': query(), 't.txt': TEXT };
    const { code, out } = await meshgate(['token', 't.txt'], { files });
    expect([code, out]).toEqual([1, expect.stringContaining('only provider okta can read this token')]);
    const explained = await meshgate(['explain', '--token', 't.txt', 'GET', 'https://wiki.example.com/'], { files });
    expect(explained.out).toContain('denied: provider_unavailable (503)');
  });

  test('it is sent to one provider only', async () => {
    const hosts = 'hosts:\n  other.example.com: { providers: [ci], /*: { service: wiki, allow: [builder] } }';
    const both = query()
      .replace('providers: [okta, ci]', 'providers: [okta]')
      .replace('prefix: ci- }', 'prefix: ci- }, client: { id: x, secret_file: /run/secrets/ci }, introspection: {}')
      .replace(/\n +- { role: builder, methods.*/, '')
      .replace('hosts:', hosts);
    const { code, err, requested } = await ask({ policy: both });
    expect([code, err, requested]).toEqual([2, expect.stringContaining('okta, ci are asked about such'), []]);
    expect((await ask({ policy: both, args: ['GET', 'https://wiki.example.com/'] })).code).toBe(0);
  });
});
