import { describe, expect, test } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { providerKind, providerKindNames, providerKinds } from '../../../src/providers/index.ts';
import { checkClaims } from '../../../src/token/claims.ts';
import { NOW, tableOf, verifiedBy } from '../caller/table.ts';
import { usualProvider } from '../token/specs/spec.ts';

test.each(Object.entries(providerKinds))('the record of %s is frozen and named as it is found', (name, kind) => {
  expect(kind.name).toBe(name);
  const parts = (value: object): object[] =>
    Object.values(value).flatMap((it) => (typeof it === 'object' ? [it, ...parts(it)] : []));
  for (const value of [kind, ...parts(kind)]) expect(Object.isFrozen(value)).toBe(true);
  if (kind.signin !== undefined) expect(kind.signin.scopes[0]).toBe('openid');
  expect(kind.refusedTypes).toEqual(kind.refusedTypes.map((it) => it.toLowerCase()));
});

test('a kind is found by its own name only', () => {
  expect(providerKindNames).toContain('generic');
  expect(providerKind('generic')).toBe(providerKinds.generic);
  expect(providerKind('constructor')).toBeUndefined();
  expect(providerKind('Generic')).toBeUndefined();
});

test.each([
  ['entra', { email: 'ann@example.com', xms_edov: true }, true],
  ['entra', { email: 'ann@example.com', xms_edov: '1' }, true],
  ['entra', { email: 'ann@example.com', xms_edov: 'true' }, false],
  ['entra', { email: 'ann@example.com', xms_edov: false }, false],
  ['entra', { email: 'ann@example.com', email_verified: true }, false],
  ['entra', { preferred_username: 'ann@example.com', upn: 'ann@example.com', xms_edov: true }, false],
  ['okta', { email: 'ann@example.com', email_verified: true }, true],
  ['keycloak', { email: 'ann@example.com', email_verified: 'true' }, false],
  ['generic', { email: 'ann@example.com', email_verified: 1 }, false],
])('an address of %s in %j counts: %s', (kind, claims, counts) => {
  const provider = { ...tableOf().providers.okta!, kind };
  const caller = toCaller(verifiedBy('okta', claims), { ...tableOf(), providers: { okta: provider } }, NOW);
  expect(caller.ok && caller.value.email).toBe(counts ? 'ann@example.com' : undefined);
});

describe('an ID token is not accepted as an access token', () => {
  const now = NOW;
  const claims = { iss: 'https://i.example.com', aud: 'wiki', sub: 'ann', exp: now + 60 };
  const check = (kind: string, more: object, typ = 'JWT') =>
    checkClaims(
      { alg: 'RS256', typ },
      { ...claims, ...more },
      { ...usualProvider, kind, audiences: ['wiki'] },
      now,
      30,
    );

  // As Okta and Entra ID issue them, for an application that is its own API: the audience is the same.
  test.each([
    ['okta', { idp: '00o', amr: ['pwd'], auth_time: now, ver: 1 }],
    ['entra', { oid: 'o', tid: 't', preferred_username: 'ann@example.com', ver: '2.0' }],
  ])('of %s, without a nonce', (kind, more) => {
    expect(check(kind, more)?.reason).toBe('type_refused');
    expect(check('generic', more)).toBeUndefined();
  });

  test.each([
    ['okta', { cid: '0oa1' }],
    ['entra', { azp: 'client' }],
    ['entra', { appid: 'client' }],
  ])('an access token of %s names its client in %j', (kind, more) => {
    expect(check(kind, more)).toBeUndefined();
  });

  test('of any kind, if it says what it is', () => {
    expect(check('okta', {}, 'at+jwt')).toBeUndefined();
    expect(check('keycloak', { typ: 'ID', azp: 'wiki' })?.reason).toBe('type_refused');
  });
});
