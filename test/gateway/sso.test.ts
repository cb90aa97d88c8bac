/** The tests' provider for sign-in, called as a relying party calls it: checks the behaviour that other tests need. */
import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  commandAt,
  createCa,
  createKey,
  newAgent,
  startEcho,
  startSso,
  testStage,
  type UserAgent,
  until,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';
import { wikiResource } from '../services/shared/people.ts';

const stage = await testStage('sso');
const host = 'wiki.example.com';
const origin = `https://${host}:8443`;
const callback = `${origin}/.meshgate/callback`;
const key = await createKey('ES256');
const unknown = await createCa('an unknown CA');
const certificate = await unknown.issue({ commonName: 'wiki-self' });
const [sso, rp] = await Promise.all([
  startSso(stage, { origins: [origin], keys: [key.jwk], certificate: certificate.cert }),
  startEcho(stage, { alias: host, tls: { pem: (await stage.ca.server(host)).pem } }),
]);

interface Requested {
  readonly agent?: UserAgent;
  readonly client?: string;
  readonly params?: Readonly<Record<string, string>>;
}

const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');

function authorization({ client = 'wiki', params = {} }: Requested): URLSearchParams {
  return new URLSearchParams({
    ...{ client_id: client, response_type: 'code', scope: 'openid profile email', redirect_uri: callback, state: 's' },
    ...{ code_challenge_method: 'S256', code_challenge: challenge, nonce: 'n', ...params },
  });
}

/** Signs ada in, or uses her session; returns the parameters of the callback. */
async function codeOf(requested: Requested = {}): Promise<URLSearchParams> {
  const agent = requested.agent ?? newAgent(stage);
  const until = /\/\.meshgate\/callback/;
  const first = await agent.visit(`${sso.issuer}/auth?${authorization(requested)}`, { until });
  const last = first.status === 200 ? await sso.signIn(agent, first, 'ada', { until }) : first;
  expect(last.location, last.text).toMatch(until);
  expect(agent.refused).toEqual([]);
  return new URL(last.location!).searchParams;
}

const exchange = (code: string) => ({
  ...{ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier },
});

/** Tokens of a fresh sign-in. */
async function tokens(requested: Requested = {}) {
  const answer = await sso.post('/token', exchange((await codeOf(requested)).get('code')!), { client: 'wiki' });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

beforeEach(() => sso.forget());
afterEach(() => sso.settings({}));

test('a sign-in has one form, code, PKCE, iss and groups, and needs no form if there is a session', async () => {
  const agent = newAgent(stage);
  const back = await codeOf({ agent });
  expect(Object.fromEntries(back)).toMatchObject({ state: 's', iss: sso.issuer });
  const answer = await sso.post('/token', exchange(back.get('code')!), { client: 'wiki' });
  const claims = decodeJwt(answer.json().id_token);
  expect(claims).toMatchObject({ sub: 'ada', aud: 'wiki', nonce: 'n', groups: ['confluence-editors', 'staff'] });
  expect(claims.sid).toBeTypeOf('string');
  const again = await codeOf({ agent, params: { prompt: 'none' } });
  expect(again.get('code')).toBeTypeOf('string');
  expect((await codeOf({ params: { prompt: 'none' } })).get('error')).toBe('login_required');
  expect((await sso.grants()).authorization_code).toEqual({ good: 1, bad: 0 });
});

test('signs in without any form, with an old auth_time, and with another acr', async () => {
  await sso.settings({ person: 'ben', authAge: 1000, acr: 'phr' });
  const claims = decodeJwt((await tokens({ params: { max_age: '3600' } })).id_token);
  expect(claims).toMatchObject({ sub: 'ben', acr: 'phr' });
  const other = await tokens({ params: { acr_values: 'pwd' } });
  expect(decodeJwt(other.id_token).acr).toBe('phr');
  expect(Date.now() / 1000 - Number(claims.auth_time)).toBeGreaterThan(990);
});

test('acr_values and max_age make a person with a session sign in again', async () => {
  const agent = newAgent(stage);
  expect(decodeJwt((await tokens({ agent, params: { acr_values: 'pwd' } })).id_token).acr).toBe('pwd');
  const visit = (params: Record<string, string>) =>
    agent.visit(`${sso.issuer}/auth?${authorization({ params })}`, { until: /callback/ });
  expect((await visit({ acr_values: 'pwd' })).status).toBe(303);
  expect((await visit({ acr_values: 'phr' })).text).toContain('id="signin"');
  expect((await visit({ prompt: 'login' })).text).toContain('id="signin"');
  expect(decodeJwt((await tokens({ agent, params: { acr_values: 'phr' } })).id_token).acr).toBe('phr');
});

test('login_hint fills in the form', async () => {
  const page = await newAgent(stage).visit(`${sso.issuer}/auth?${authorization({ params: { login_hint: 'ben' } })}`);
  expect(page.form({}, '#signin').fields.get('person')).toBe('ben');
});

describe('a client authenticates', () => {
  const assertion = async (client: string) =>
    new SignJWT({ iss: client, sub: client, aud: sso.issuer, jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key.privateKey);
  const ways: Record<string, () => Promise<{ form: Record<string, string>; clientPem?: string }>> = {
    'wiki-post': async () => ({ form: { client_secret: ssoSecret } }),
    'wiki-jwt': async () => ({
      form: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion('wiki-jwt'),
      },
    }),
    'wiki-tls': async () => ({ form: {}, clientPem: (await stage.ca.issue({ commonName: 'wiki-tls' })).pem }),
    'wiki-self': async () => ({ form: {}, clientPem: certificate.pem }),
    'wiki-public': async () => ({ form: {} }),
  };

  test.each(Object.keys(ways))('%s', async (client) => {
    const { form, ...more } = await ways[client]!();
    const code = (await codeOf({ client })).get('code')!;
    const answer = await sso.post('/token', { ...exchange(code), client_id: client, ...form }, more);
    expect(answer.status, answer.text).toBe(200);
  });

  test('is refused with another certificate', async () => {
    const code = (await codeOf({ client: 'wiki-tls' })).get('code')!;
    const { pem: clientPem } = await stage.ca.issue({ commonName: 'other' });
    const answer = await sso.post('/token', { ...exchange(code), client_id: 'wiki-tls' }, { clientPem });
    expect(answer.json().error).toBe('invalid_client');
  });
});

test('a pushed request is required of one client', async () => {
  const pushed = await sso.post('/request', Object.fromEntries(authorization({ client: 'wiki-par' })), {
    client: 'wiki-par',
  });
  expect(pushed.status, pushed.text).toBe(201);
  const agent = newAgent(stage);
  const query = new URLSearchParams({ client_id: 'wiki-par', request_uri: pushed.json().request_uri });
  const form = await agent.visit(`${sso.issuer}/auth?${query}`);
  expect((await sso.signIn(agent, form, 'ada', { until: /callback/ })).location).toMatch(/code=/);
  expect((await codeOf({ client: 'wiki-par' })).get('error')).toBe('invalid_request');
});

describe('refresh', () => {
  const refresh = (token: string) =>
    sso.post('/token', { grant_type: 'refresh_token', refresh_token: token }, { client: 'wiki' });

  test('rotates; a second use ends the grant; changed groups are in the new tokens', async () => {
    const { refresh_token } = await tokens();
    await sso.change('ada', { groups: ['staff'] });
    const next = (await refresh(refresh_token)).json();
    expect(decodeJwt(next.id_token).groups).toEqual(['staff']);
    expect(next.refresh_token).not.toBe(refresh_token);
    await sso.change('ada', { groups: ['confluence-editors', 'staff'] });
    expect((await refresh(refresh_token)).json().error).toBe('invalid_grant');
    expect((await refresh(next.refresh_token)).json().error).toBe('invalid_grant');
    expect((await sso.grants()).refresh_token).toEqual({ good: 1, bad: 2 });
  });

  test('of a disabled person is refused', async () => {
    const { refresh_token } = await tokens();
    await sso.change('ada', { disabled: true });
    expect((await refresh(refresh_token)).json().error).toBe('invalid_grant');
    await sso.change('ada', { disabled: false });
  });

  test('whose answer is lost has used up the token; one that fails or is held has not', async () => {
    const { refresh_token } = await tokens();
    await sso.control('/token', { fail: 503, times: 1 });
    expect((await refresh(refresh_token)).status).toBe(503);
    const good = async () => (await sso.grants()).refresh_token?.good ?? 0;
    await sso.control('/token', { hold: true });
    const slow = refresh(refresh_token);
    await until(async () => (await sso.calls())['/token'] === 3, { what: 'the third call of the token endpoint' });
    const before = await good();
    await sso.control('/token', { holdAnswer: true });
    await until(async () => (await good()) === before + 1, { what: 'the held call to go on' });
    const next = (await slow).json();
    const answered = refresh(next.refresh_token).then((answer) => answer.json());
    await until(async () => (await good()) === before + 2, { what: 'the refresh whose answer is held' });
    expect(await Promise.race([answered, 'held'])).toBe('held');
    await sso.control('/token');
    const last = await answered;
    await sso.control('/token', { lose: true, times: 1 });
    await expect(refresh(last.refresh_token)).rejects.toThrow();
    expect((await refresh(last.refresh_token)).json().error).toBe('invalid_grant');
    expect((await sso.calls())['/token']).toBe(6);
  });
});

describe('the command', () => {
  const policy = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  proof: { rate: 50/s }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  sso:
    issuer: ${sso.issuer}
    audiences: ["${wikiResource}"]
    ca_file: /run/provider/ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}: { /*: { service: wiki, allow: [authenticated] } }
`;
  const run = (text: string, ...args: string[]) =>
    commandAt(sso.box, { './meshgate.yaml': policy, '/run/provider/ca.pem': stage.ca.cert, 't.txt': text }, ...args);

  test('finds that the provider offers all that the policy needs', async () => {
    const { code, out, err } = await run('', 'validate', '--online');
    // The container of the provider has none of the gateway's files, and lacks nothing else.
    expect([code, err], out).toEqual([1, '']);
    const lacking = out.match(/^no .*/gm)!;
    expect(lacking.filter((line) => !/^no {2}files: .*: file_missing: /.test(line))).toEqual([]);
    for (const found of [
      'discovery: ',
      'keys: ',
      'sign-in: PKCE with S256',
      'sign-in: requests are ',
      'DPoP: proofs with ',
    ]) {
      expect(out).toContain(`yes sso: ${found}`);
    }
  });

  test('verifies a token by the keys that the provider publishes', async () => {
    const { access_token } = await tokens({ params: { resource: wikiResource } });
    const good = await run(access_token, 'token', 't.txt', '--online');
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('signature  valid')]);
    const forged = `${access_token.slice(0, -20)}AAAA${access_token.slice(-16)}`;
    const bad = await run(forged, 'token', 't.txt', '--online');
    expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('signature  signature_invalid')]);
  });
});

test('userinfo has the groups', async () => {
  const { access_token } = await tokens();
  const answer = await sso.send('/me', { token: access_token });
  expect(answer.json()).toMatchObject({ sub: 'ada', groups: ['confluence-editors', 'staff'] });
});

test('userinfo is signed for a client that is registered so', async () => {
  const code = (await codeOf({ client: 'wiki-signed' })).get('code')!;
  const { access_token } = (await sso.post('/token', exchange(code), { client: 'wiki-signed' })).json();
  const answer = await sso.send('/me', { token: access_token });
  expect(answer.header('content-type')).toMatch(/^application\/jwt/);
  expect(decodeJwt(answer.text)).toMatchObject({ iss: sso.issuer, aud: 'wiki-signed', groups: expect.any(Array) });
});

test('sign-out redirects back, and notifies the back channel', async () => {
  const agent = newAgent(stage);
  const { id_token } = await tokens({ agent });
  await rp.clear();
  const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: `${origin}/`, state: 'out' });
  const requested = await agent.visit(`${sso.issuer}/session/end?${query}`);
  const back = await sso.confirm(agent, requested);
  expect(back.url).toBe(`${origin}/?state=out`);
  await until(async () => (await rp.requests()).some(({ url }) => url === '/.meshgate/backchannel'), {
    what: 'a call of the back channel',
  });
  const told = (await rp.requests()).find(({ url }) => url === '/.meshgate/backchannel')!;
  const token = new URLSearchParams(told.body?.text).get('logout_token')!;
  expect(decodeJwt(token)).toMatchObject({ aud: 'wiki', sub: 'ada', sid: decodeJwt(id_token).sid });
  expect((await codeOf({ agent, params: { prompt: 'none' } })).get('error')).toBe('login_required');
});

test('an administrator ends every session, and clients are notified', async () => {
  const { refresh_token } = await tokens();
  await rp.clear();
  expect(await sso.signOut('ada')).toBeGreaterThan(0);
  expect((await rp.requests()).filter(({ url }) => url === '/.meshgate/backchannel').length).toBeGreaterThan(0);
  const answer = await sso.post('/token', { grant_type: 'refresh_token', refresh_token }, { client: 'wiki' });
  expect(answer.json().error).toBe('invalid_grant');
});

test('a device signs in by its code, and receives a token for the gateway', async () => {
  const started = await sso.post('/device/auth', { client_id: 'wiki-cli', scope: 'openid profile offline_access' });
  expect(started.status, started.text).toBe(200);
  const { device_code, verification_uri_complete } = started.json();
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code, client_id: 'wiki-cli' };
  expect((await sso.post('/token', grant)).json().error).toBe('authorization_pending');
  const end = await sso.approve(newAgent(stage), verification_uri_complete, 'ada');
  expect(end.text).toContain('Connected');
  const answer = await sso.post('/token', grant);
  expect(decodeJwt(answer.json().access_token)).toMatchObject({ sub: 'ada', aud: 'api://wiki' });
});
