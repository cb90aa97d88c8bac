import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Expected, verifyIdToken, verifyRefreshedIdToken } from '../../../../src/session/flow/id-token.ts';
import { readKeySet } from '../../../../src/token/keys/jwks.ts';
import { b64, jwks, makeToken, publicJwk, type TokenParts } from '../../token/maker.ts';

const now = 1_790_000_000;
const nonce = 'n-0S6_WzA2MjQ1NTY3';
const provider = {
  issuer: 'https://issuer.example.com',
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512'] as const,
};

const set = await readKeySet(
  jwks(
    publicJwk('rsa'),
    publicJwk('p256'),
    publicJwk('p384'),
    publicJwk('p521'),
    publicJwk('nokid', { kid: undefined }),
  ),
);
const keys = set.ok ? set.keys : [];

const claims = {
  iss: provider.issuer,
  sub: 'ada',
  aud: 'wiki',
  exp: now + 300,
  iat: now - 1,
  nonce,
};

const context = { provider, clientId: 'wiki', keys, skew: 30, imported: new Map() };

const outcome = async (
  parts: Omit<TokenParts, 'claims'> & { claims?: Record<string, unknown> },
  expected: Partial<Expected> = {},
  more: { keys?: undefined } = {},
) => {
  const text = makeToken({ ...parts, claims: { ...claims, ...parts.claims } });
  const result = await verifyIdToken(text, { nonce, ...expected }, { ...context, ...more } as never, now);
  return result.ok ? 'verified' : result.reason;
};

describe('verifyIdToken', () => {
  it.each([
    {},
    { alg: 'PS256' },
    { alg: 'ES256', key: 'p256' },
    { alg: 'ES384', key: 'p384' },
    { alg: 'ES512', key: 'p521' },
    { alg: 'ES256', key: 'nokid', header: { kid: undefined } },
    { header: { typ: 'JWT' } },
    { claims: { aud: ['wiki'] } },
    { claims: { aud: ['wiki', 'other'], azp: 'wiki' } },
    { claims: { azp: 'wiki' } },
    { claims: { typ: 'ID' } },
    { claims: { exp: now - 20 } },
    { claims: { iat: now + 20, nbf: now + 20 } },
  ] as const)('accepts %j', async (parts) => {
    expect(await outcome(parts as never)).toBe('verified');
  });

  it.each([
    ['an unsigned one', { rawHeader: JSON.stringify({ alg: 'none' }) }, 'algorithm_refused'],
    ['a symmetric one', { alg: 'HS256' }, 'algorithm_refused'],
    ['an algorithm that the policy does not allow', { alg: 'RS512' }, 'algorithm_refused'],
    ['another key under the name', { key: 'rsa2', header: { kid: 'rsa' } }, 'signature_invalid'],
    ['an unknown key', { key: 'rsa2' }, 'key_unknown'],
    ['another issuer', { claims: { iss: 'https://issuer.example.com/' } }, 'issuer_unknown'],
    ['no issuer', { claims: { iss: undefined } }, 'issuer_unknown'],
    ['no subject', { claims: { sub: undefined } }, 'claim_absent'],
    ['an empty subject', { claims: { sub: '' } }, 'claim_absent'],
    ['a subject of 256 characters', { claims: { sub: 'x'.repeat(256) } }, 'claim_absent'],
    ['a subject that is a number', { claims: { sub: 7 } }, 'claim_absent'],
    ['another audience', { claims: { aud: 'other' } }, 'audience_mismatch'],
    ['no audience', { claims: { aud: undefined } }, 'audience_mismatch'],
    ['several audiences without azp', { claims: { aud: ['wiki', 'other'] } }, 'audience_mismatch'],
    ['several audiences for another azp', { claims: { aud: ['wiki', 'other'], azp: 'other' } }, 'audience_mismatch'],
    ['another azp', { claims: { azp: 'other' } }, 'audience_mismatch'],
    ['an expired one', { claims: { exp: now - 31 } }, 'token_expired'],
    ['no exp', { claims: { exp: undefined } }, 'claim_absent'],
    ['no iat', { claims: { iat: undefined } }, 'claim_absent'],
    ['iat in the future', { claims: { iat: now + 31 } }, 'token_not_yet_valid'],
    ['nbf in the future', { claims: { nbf: now + 31 } }, 'token_not_yet_valid'],
    ['no nonce', { claims: { nonce: undefined } }, 'claim_absent'],
    ['another nonce', { claims: { nonce: 'n-0S6_WzA2MjQ1NTY4' } }, 'claim_absent'],
    ['a nonce that is a list', { claims: { nonce: [nonce] } }, 'claim_absent'],
    ['an access token', { header: { typ: 'at+jwt' } }, 'type_refused'],
    ['a logout token', { header: { typ: 'logout+jwt' } }, 'type_refused'],
    ['a token with events', { claims: { events: {} } }, 'type_refused'],
    ['Keycloak’s refresh token', { claims: { typ: 'Refresh' } }, 'type_refused'],
    ['Keycloak’s access token', { claims: { typ: 'Bearer' } }, 'type_refused'],
    ['at_hash without an access token', { claims: { at_hash: 'x' } }, 'claim_absent'],
    ['a payload that is not an object', { rawPayload: '[]' }, 'token_malformed'],
    ['a critical extension', { header: { crit: ['b64'], b64: true } }, 'token_malformed'],
  ] as const)('rejects %s', async (_, parts, reason) => {
    expect(await outcome(parts as never)).toBe(reason);
  });

  it('rejects every token without keys, and text that is not a token', async () => {
    expect(await outcome({}, {}, { keys: undefined })).toBe('provider_unavailable');
    for (const text of ['', '.', 'a.b', 'a.b.c', `${makeToken({ claims })}=`, 'x'.repeat(20_000)]) {
      expect((await verifyIdToken(text, { nonce }, context, now)).ok).toBe(false);
    }
  });

  it('cannot be called without a nonce', async () => {
    const text = makeToken({ claims: { ...claims, nonce: '' } });
    for (const none of ['', undefined, null]) {
      await expect(verifyIdToken(text, { nonce: none as never }, context, now)).rejects.toThrow('without a nonce');
    }
  });

  it.each([
    ['RS256', 'rsa', 'sha256'],
    ['ES384', 'p384', 'sha384'],
    ['ES512', 'p521', 'sha512'],
  ] as const)('compares at_hash of %s with the access token', async (alg, key, hash) => {
    const accessToken = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
    const digest = createHash(hash).update(accessToken).digest();
    const half = b64(digest.subarray(0, digest.length / 2));
    expect(await outcome({ alg, key, claims: { at_hash: half } }, { accessToken })).toBe('verified');
    expect(await outcome({ alg, key, claims: { at_hash: half } }, { accessToken: 'other' })).toBe('signature_invalid');
    expect(await outcome({ alg, key, claims: { at_hash: b64(digest) } }, { accessToken })).toBe('signature_invalid');
    expect(await outcome({ alg, key, claims: {} }, { accessToken })).toBe('verified');
  });

  it('enforces the requested age', async () => {
    const at = (auth_time: unknown) => outcome({ claims: { auth_time } }, { maxAge: 60 });
    expect(await at(now - 60)).toBe('verified');
    expect(await at(now - 90)).toBe('verified');
    expect(await at(now - 91)).toBe('step_up_required');
    expect(await at(undefined)).toBe('claim_absent');
    expect(await at(String(now))).toBe('claim_absent');
    expect(await at(now + 31)).toBe('token_not_yet_valid');
    expect(await outcome({ claims: { auth_time: now } }, { maxAge: 0 })).toBe('verified');
    expect(await outcome({ claims: { auth_time: now - 40 } }, { maxAge: 0 })).toBe('step_up_required');
  });

  it('enforces the acr that a role requested', async () => {
    const acr = (reported: unknown, acrValues: string[]) => outcome({ claims: { acr: reported } }, { acrValues });
    expect(await acr('phr', ['phr', 'phrh'])).toBe('verified');
    expect(await acr('pwd', ['phr'])).toBe('step_up_required');
    expect(await acr(undefined, ['phr'])).toBe('step_up_required');
    expect(await acr(['phr'], ['phr'])).toBe('step_up_required');
  });
});

describe('verifyRefreshedIdToken', () => {
  const refreshed = async (more: Record<string, unknown>, subject = 'ada') => {
    const text = makeToken({ claims: { ...claims, nonce: undefined, ...more } });
    const result = await verifyRefreshedIdToken(text, { subject }, context, now);
    return result.ok ? 'verified' : result.reason;
  };

  it('has no nonce, and must be for the same person', async () => {
    expect(await refreshed({})).toBe('verified');
    expect(await refreshed({}, 'ben')).toBe('audience_mismatch');
    expect(await refreshed({ aud: 'other' })).toBe('audience_mismatch');
    expect(await refreshed({ exp: now - 100 })).toBe('token_expired');
  });
});

describe('of several tenants', () => {
  const issuer = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
  const several = { ...provider, issuer: issuer('{tenantid}'), issuers: [issuer('one'), issuer('two')] };
  const signed = async (claimed: object, of: string) => {
    const text = makeToken({ claims: { ...claims, ...claimed } });
    const own = keys.map((key) => ({ ...key, issuer: of }));
    const result = await verifyIdToken(text, { nonce }, { ...context, provider: several, keys: own } as never, now);
    return result.ok ? 'verified' : result.reason;
  };

  it.each([
    [{ iss: issuer('two'), tid: 'two' }, issuer('{tenantid}'), 'verified'],
    [{ iss: issuer('two'), tid: 'two' }, issuer('two'), 'verified'],
    [{ iss: issuer('two'), tid: 'two' }, issuer('one'), 'key_unknown'],
    [{ iss: issuer('two'), tid: 'one' }, issuer('{tenantid}'), 'key_unknown'],
    [{ iss: issuer('three'), tid: 'three' }, issuer('{tenantid}'), 'issuer_unknown'],
  ])('%j by a key of %s: %s', async (claimed, of, wanted) => {
    expect(await signed(claimed, of)).toBe(wanted);
  });
});
