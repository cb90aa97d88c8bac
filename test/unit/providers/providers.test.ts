import { expect, test } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { providerKind, providerKindNames, providerKinds } from '../../../src/providers/index.ts';
import { NOW, tableOf, verifiedBy } from '../caller/table.ts';

test.each(Object.entries(providerKinds))('the record of %s is frozen and named as it is found', (name, kind) => {
  expect(kind.name).toBe(name);
  const parts = (value: object): object[] =>
    Object.values(value).flatMap((it) => (typeof it === 'object' ? [it, ...parts(it)] : []));
  for (const value of [kind, ...parts(kind)]) expect(Object.isFrozen(value)).toBe(true);
  expect(kind.signin.scopes[0]).toBe('openid');
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
