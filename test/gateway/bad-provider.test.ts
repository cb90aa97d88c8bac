/** The tests' faulty provider, called as a relying party calls it: it works, or has the faults that a test selects. */
import { createHash, randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTVerifyResult, jwtVerify } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Alterations, newAgent, startBadProvider, startEcho, testStage } from '../harness/index.ts';
import { modules } from './conformance-modules.ts';

const stage = await testStage('bad-provider');
const bad = await startBadProvider(stage);
await startEcho(stage, { alias: 'rp', tls: { pem: (await stage.ca.server('rp')).pem } });
const callback = 'https://rp:8443/callback';
const basic = `Basic ${Buffer.from('wiki:wiki-secret').toString('base64')}`;

beforeEach(async () => {
  await bad.alter();
  await bad.forget();
});

const agent = newAgent(stage);
const get = async (path: string, headers = {}) =>
  (await agent.visit(bad.issuer + path, { headers, follow: false })).answer;

/** A whole sign-in; returns the answer of each step. */
async function signIn() {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    ...{ client_id: 'wiki', response_type: 'code', scope: 'openid', redirect_uri: callback, state: 's', nonce: 'n' },
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const { location = '' } = await agent.visit(`${bad.issuer}/auth?${query}`, { follow: false });
  const back = new URL(location).searchParams;
  const token = (params: Record<string, string>) =>
    agent.visit(`${bad.issuer}/token`, { headers: { Authorization: basic }, body: new URLSearchParams(params) });
  const code = { grant_type: 'authorization_code', code: back.get('code') ?? '', code_verifier: verifier };
  const { answer } = await token({ ...code, redirect_uri: callback });
  return { back, token, status: answer.status, text: answer.text, tokens: answer.status === 200 && answer.json() };
}

/** The result when jose, as a relying party, verifies its ID token. */
async function verified(idToken: string): Promise<JWTVerifyResult> {
  const keys = createLocalJWKSet((await get('/jwks')).json());
  return jwtVerify(idToken, keys, { issuer: bad.issuer, audience: 'wiki', requiredClaims: ['sub', 'iat', 'nonce'] });
}

test('signs people in, refreshes tokens and records the calls when it has no fault', async () => {
  const { back, tokens, token } = await signIn();
  expect(Object.fromEntries(back)).toMatchObject({ state: 's', iss: bad.issuer });
  const { payload } = await verified(tokens.id_token);
  expect(payload).toMatchObject({ sub: 'ada', nonce: 'n', groups: ['confluence-editors', 'staff'] });
  const info = await get('/userinfo', { Authorization: `Bearer ${tokens.access_token}` });
  expect(info.json().sub).toBe('ada');
  const refreshed = await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  expect(refreshed.status).toBe(200);
  const again = await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  expect(again.answer.json().error).toBe('invalid_grant');
  const calls = await bad.calls('/token');
  expect(calls.map(({ status, by }) => [status, by])).toEqual([
    [200, 'client_secret_basic'],
    [200, 'client_secret_basic'],
    [400, undefined],
  ]);
});

describe('has faults in the ID token', () => {
  const wrong: Record<string, NonNullable<Alterations['idToken']>> = {
    iss: { claims: { iss: 'https://other.example' } },
    aud: { claims: { aud: 'other' } },
    'no sub': { claims: { sub: null } },
    'no iat': { claims: { iat: null } },
    'no nonce': { claims: { nonce: null } },
    expired: { claims: { exp: { $now: -60 } } },
    spoilt: { signer: 'spoilt' },
    'spoilt ES256': { signer: 'spoilt-ec' },
    stranger: { signer: 'stranger' },
    secret: { signer: 'secret' },
    none: { signer: 'none' },
    ec: { signer: 'ec' },
    'another kid': { header: { kid: 'other' } },
  };
  test.each(Object.keys(wrong))('%s', async (name) => {
    await bad.alter({ idToken: wrong[name]! });
    const { tokens } = await signIn();
    await expect(verified(tokens.id_token)).rejects.toThrow();
  });

  test('leaves out kid, with one key and with two', async () => {
    await bad.alter({ idToken: { header: { kid: null } }, jwks: { kids: false } });
    const one = await signIn();
    expect((await verified(one.tokens.id_token)).protectedHeader.kid).toBeUndefined();
    await bad.alter({ idToken: { header: { kid: null } }, jwks: { kids: false, keys: ['next', 'main'] } });
    await expect(verified((await signIn()).tokens.id_token)).rejects.toThrow(/multiple matching keys/);
  });

  test('returns the ID token of another person at a refresh', async () => {
    await bad.alter({ refreshed: { claims: { sub: 'ben' } } });
    const { token, tokens } = await signIn();
    const refreshed = await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    expect(decodeJwt(refreshed.answer.json().id_token).sub).toBe('ben');
  });
});

test('has faults in discovery, callback, token endpoint, UserInfo, keys and sign-out', async () => {
  await bad.alter({
    discovery: { issuer: 'https://other.example', jwks_uri: null },
    callback: { iss: ['https://other.example', bad.issuer], state: null },
    token: { members: { id_token: null } },
    userinfo: { claims: { sub: 'ben' } },
    signedOut: { state: 'other' },
  });
  const discovery = (await get('/.well-known/openid-configuration')).json();
  expect([discovery.issuer, discovery.jwks_uri]).toEqual(['https://other.example', undefined]);
  const { back, tokens } = await signIn();
  expect([back.getAll('iss').length, back.get('state'), tokens.id_token]).toEqual([2, null, undefined]);
  const info = await get('/userinfo', { Authorization: `Bearer ${tokens.access_token}` });
  expect(info.json().sub).toBe('ben');
  const out = await agent.visit(`${bad.issuer}/logout?post_logout_redirect_uri=${callback}&state=s`, { follow: false });
  expect(out.location).toBe(`${callback}?state=other`);
  await bad.alter({ callback: { error: 'access_denied' } });
  expect(Object.fromEntries((await signIn()).back)).toEqual({ error: 'access_denied', state: 's', iss: bad.issuer });
  await bad.alter({ token: { status: 500, text: 'no JSON' } });
  expect(await signIn()).toMatchObject({ status: 500, text: 'no JSON' });
  await bad.alter();
  await bad.rotate();
  expect((await get('/jwks')).json().keys.map(({ kid }: { kid: string }) => kid)).toEqual(['next']);
  await verified((await signIn()).tokens.id_token);
  await bad.rotate();
});

test('issues logout tokens for the newest session, valid or not', async () => {
  const { tokens } = await signIn();
  const right = await bad.logoutToken();
  expect(decodeProtectedHeader(right)).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' });
  expect(decodeJwt(right)).toMatchObject({ aud: 'wiki', sub: 'ada', sid: decodeJwt(tokens.id_token).sid });
  const wrong = await bad.logoutToken({ claims: { events: null, nonce: 'n' }, signer: 'none' });
  expect(decodeJwt(wrong)).toMatchObject({ nonce: 'n' });
  expect(decodeJwt(wrong).events).toBeUndefined();
});

test('the list of conformance modules has each name once', () => {
  const names = modules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name.startsWith('oidcc-client-test'))).toBe(true);
  expect(names.length).toBeGreaterThan(30);
});
