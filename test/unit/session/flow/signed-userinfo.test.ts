import { describe, expect, it } from 'vitest';
import { isJwt, verifySignedUserinfo } from '../../../../src/session/flow/signed-userinfo.ts';
import { readKeySet } from '../../../../src/token/keys/jwks.ts';
import { b64, jwks, makeToken, publicJwk, type TokenParts } from '../../token/maker.ts';

const now = 1_790_000_000;
const provider = { issuer: 'https://issuer.example.com', algorithms: ['RS256', 'ES256'] as const };
const set = await readKeySet(jwks(publicJwk('rsa'), publicJwk('p256')));
const context = { provider, clientId: 'wiki', keys: set.ok ? set.keys : [], skew: 30, imported: new Map() };

/** OpenID Connect Core section 5.3.2: a signed answer has `iss` and `aud`. */
const claims = { iss: provider.issuer, aud: 'wiki', sub: 'ada', groups: ['staff'] };

async function outcome(parts: Omit<TokenParts, 'claims'> & { claims?: Record<string, unknown> } = {}, more = {}) {
  const text = makeToken({ ...parts, claims: { ...claims, ...parts.claims } });
  const result = await verifySignedUserinfo(text, { ...context, ...more } as never, now);
  return result.ok ? 'verified' : result.reason;
}

describe('verifySignedUserinfo', () => {
  it.each([
    {},
    { alg: 'ES256', key: 'p256' },
    { claims: { aud: ['other', 'wiki'] } },
    { claims: { iat: now, exp: now + 60 } },
    { header: { typ: 'JWT' } },
    { header: { typ: 'application/jwt' } },
  ] as const)('verifies %j', async (parts) => {
    expect(await outcome(parts as never)).toBe('verified');
  });

  it.each([
    ['algorithm_refused', { alg: 'PS256' }],
    ['algorithm_refused', { alg: 'none' }],
    ['signature_invalid', { key: 'rsa2', header: { kid: 'rsa' } }],
    ['key_unknown', { key: 'rsa2' }],
    ['issuer_unknown', { claims: { iss: 'https://evil.example.com' } }],
    ['issuer_unknown', { claims: { iss: undefined } }],
    ['audience_mismatch', { claims: { aud: 'other' } }],
    ['audience_mismatch', { claims: { aud: undefined } }],
    ['token_expired', { claims: { exp: now - 31 } }],
    ['token_not_yet_valid', { claims: { nbf: now + 31 } }],
  ] as const)('rejects as %s: %j', async (reason, parts) => {
    expect(await outcome(parts as never)).toBe(reason);
  });

  it.each([
    ['an ID token of the sign-in', { claims: { nonce: 'n', exp: now + 60 } }],
    ['an ID token of a refresh', { claims: { at_hash: 'AAAA', exp: now + 60 } }],
    ['an ID token of Keycloak', { claims: { typ: 'ID' } }],
    ['an access token of Keycloak', { claims: { typ: 'Bearer' } }],
    ['an access token by its header', { header: { typ: 'at+jwt' } }],
    ['an access token with "scope"', { claims: { scope: 'openid' } }],
    ['an access token with "scp"', { claims: { scp: ['openid'] } }],
    ['a logout token', { claims: { events: {} } }],
    ['a logout token by its header', { header: { typ: 'logout+jwt' } }],
    ['an assertion of a gateway', { header: { typ: 'meshgate+jwt' } }],
  ] as const)('rejects %s of the same provider and client', async (_, parts) => {
    expect(await outcome(parts as never)).toBe('type_refused');
  });

  it('needs keys', async () => {
    expect(await outcome({}, { keys: undefined })).toBe('provider_unavailable');
  });

  it('says what to change if the answer is encrypted', async () => {
    const jwe = [b64('{"alg":"RSA-OAEP-256","enc":"A256GCM"}'), 'a', 'b', 'c', 'd'].join('.');
    expect(await verifySignedUserinfo(jwe, context as never, now)).toEqual({
      ok: false,
      reason: 'token_malformed',
      detail:
        'it is encrypted, which the gateway cannot read; register the client without userinfo_encrypted_response_alg',
    });
  });
});

it('the media type says whether an answer is signed, in any case and with parameters', () => {
  const types = ['application/jwt', 'Application/JWT; charset=utf-8', 'application/json', 'application/jwt+json', ''];
  expect(types.map(isJwt)).toEqual([true, true, false, false, false]);
});
