/** A provider's answers about a token (RFC 7662), and the tokens that are introspected. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkIntrospected,
  claimsOfJws,
  confirmedToken,
  INTROSPECTED,
  isTokenText,
  providerToIntrospect,
  readIntrospection,
} from '../../../src/token/introspection.ts';
import type { TokenProvider } from '../../../src/token/types.ts';
import { holds } from '../../harness/property.ts';

const now = 1_790_000_000;
const times = { cache: 60, negative: 10, stale: 0 };
const corp: TokenProvider = {
  ...{ name: 'corp', kind: 'generic', issuer: 'https://corp.example.com', audiences: ['wiki'], algorithms: ['RS256'] },
  subject: { claim: 'sub', prefix: '' },
};
const requested: TokenProvider = { ...corp, introspection: times };
const keyless: TokenProvider = { ...requested, name: 'keyless', issuer: 'legacy', keyless: true };
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jws = (iss: string) => `${part({ alg: 'RS256' })}.${part({ iss })}.AAAA`;

describe('the provider that is called', () => {
  it.each([
    ['about a token that is not a JWS', 'abc', [corp, requested], 'corp'],
    ['about an encrypted one', 'eyJhbGciOiJkaXIifQ..a.b.c', [requested], 'corp'],
    ['about one with dots', 'ya29.abc.def', [requested], 'corp'],
    ['about a JWT of an issuer without keys', jws('legacy'), [keyless], 'keyless'],
  ] as const)('%s', (_, text, providers, name) => {
    expect(providerToIntrospect(text, providers)?.name).toBe(name);
  });

  it.each([
    ['if introspection is off', 'abc', [corp]],
    ['about a JWT of an issuer with keys', jws(corp.issuer), [requested]],
    ['about a JWT of another issuer', jws('https://eve.example.com'), [requested, keyless]],
    ['about text that is not a token', 'a b', [requested]],
    ['about a JWT with a broken payload', `${part({ alg: 'RS256' })}.%.AAAA`, [requested]],
    ['about one with a header that is refused', `${part({ alg: 'RS256', crit: ['x'] })}.e30.AAAA`, [requested]],
  ] as const)('no provider %s', (_, text, providers) => {
    expect(providerToIntrospect(text, providers)).toBeUndefined();
  });

  it('returns no claims of an invalid JWS, and recognises the text of a token', () => {
    expect(claimsOfJws(`${part({ typ: 'JWT' })}.x.y`)).toEqual({});
    expect(claimsOfJws('a.b.c')).toBeUndefined();
    expect(isTokenText('abc==')).toBe(true);
    expect(isTokenText('')).toBe(false);
    expect(isTokenText('a=b')).toBe(false);
  });
});

describe('an answer', () => {
  it.each([
    ['{"active":true,"sub":"a"}', { kind: 'active', claims: { active: true, sub: 'a' } }],
    ['{"active":false,"sub":"a"}', { kind: 'inactive' }],
    ['{"active":1}', { kind: 'broken', error: 'the introspection endpoint answered without "active"' }],
    ['{}', { kind: 'broken', error: 'the introspection endpoint answered without "active"' }],
    ['null', { kind: 'broken', error: 'the introspection endpoint did not answer with a JSON object' }],
  ])('%s', (text, reported) => {
    expect(readIntrospection(200, text)).toEqual(reported);
  });

  it('is invalid with any other status, and if it is too long', () => {
    for (const status of [201, 204, 302, 400, 401, 403, 500]) {
      expect(readIntrospection(status, '{"active":true}').kind).toBe('broken');
    }
    expect(readIntrospection(200, `{"active":true}${' '.repeat(70_000)}`).kind).toBe('broken');
  });

  it('never throws, and is active only where it says so', () => {
    holds(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readIntrospection(200, text).kind).not.toBe('active');
      }),
    );
  });
});

describe('an active token', () => {
  const good = { active: true, sub: 'ada', aud: ['wiki'], token_type: 'bearer', exp: now + 600 };
  const verdictOf = (changes: object, provider: TokenProvider = requested) =>
    checkIntrospected({ ...good, ...changes }, provider, { now, skew: 30, until: now + 60 });

  it('is the provider’s word until it expires', () => {
    const claims = good;
    const value = { provider: 'corp', claims, expires: now + 600, key: INTROSPECTED, until: now + 60 };
    expect(verdictOf({})).toEqual({ ok: true, value });
  });

  it('without "exp" expires when the answer does', () => {
    expect(verdictOf({ exp: undefined })).toMatchObject({ ok: true, value: { expires: now + 60 } });
  });

  it('may leave out its type only if the policy says so, and may have no other', () => {
    const any: TokenProvider = { ...requested, introspection: { ...times, anyType: true } };
    expect(verdictOf({ token_type: undefined })).toMatchObject({ ok: false, reason: 'type_refused' });
    expect(verdictOf({ token_type: undefined }, any).ok).toBe(true);
    expect(verdictOf({ token_type: 'Refresh' }, any)).toMatchObject({ ok: false, reason: 'type_refused' });
    expect(verdictOf({ token_type: undefined, token_use: 'refresh_token' }, any).ok).toBe(false);
  });

  it('is bound to the key that it names', () => {
    const jkt = Buffer.alloc(32, 7).toString('base64url');
    expect(verdictOf({ token_type: 'DPoP', cnf: { jkt } })).toMatchObject({
      value: { binding: { kind: 'dpop', thumbprint: jkt } },
    });
    expect(verdictOf({ token_type: 'DPoP' })).toMatchObject({ ok: false, reason: 'proof_invalid' });
  });

  it('names its client as RFC 7662 does, too', () => {
    const okta: TokenProvider = { ...requested, kind: 'okta', clients: ['cli'] };
    expect(verdictOf({ client_id: 'cli' }, okta).ok).toBe(true);
    expect(verdictOf({ client_id: 'other' }, okta)).toMatchObject({ ok: false, reason: 'audience_mismatch' });
    expect(verdictOf({}, okta)).toMatchObject({ ok: false, reason: 'claim_absent' });
  });
});

describe('a JWT that its provider confirms', () => {
  const verified = { provider: 'corp', claims: { sub: 'ada' }, expires: now + 600, key: 'k' };

  it('keeps its own claims, and is valid for the shorter of both times', () => {
    expect(confirmedToken(verified, { active: true, sub: 'eve', exp: now + 100 }, requested, now + 60)).toEqual({
      ok: true,
      value: { ...verified, expires: now + 100, until: now + 60 },
    });
    expect(confirmedToken(verified, { exp: now + 900 }, requested, now + 60)).toMatchObject({
      value: { expires: now + 600 },
    });
  });

  it('is rejected if another issuer answers', () => {
    expect(confirmedToken(verified, { iss: 'https://eve.example.com' }, requested, now + 60)).toMatchObject({
      ok: false,
      reason: 'issuer_unknown',
    });
  });
});
