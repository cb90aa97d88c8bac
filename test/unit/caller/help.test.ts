import { expect, test } from 'vitest';
import { explainFact } from '../../../src/caller/roles/explain.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import {
  claimHelp,
  claimHelps,
  type ProviderKindName,
  providerKinds,
  signinHelp,
} from '../../../src/providers/index.ts';

const at = { file: 'meshgate.yaml', line: 1, column: 1 };

const helpOf = (kind: ProviderKindName, fact: object, claims: object = {}) =>
  explainFact({ at, ...fact } as unknown as Fact, {
    verified: { provider: 'p', claims: claims as never },
    kind: providerKinds[kind],
    roles: new Map(),
    signin: { now: 0, assumed: false, until: 0 },
  }).help;

test.each<[kind: ProviderKindName, fact: object, help: RegExp]>([
  ['okta', { op: 'group', value: 'staff' }, /Claims > "groups"/],
  ['entra', { op: 'has', claim: 'roles', value: 'x' }, /App roles/],
  ['entra', { op: 'max_age', value: 60 }, /Optional claims > Access > auth_time/],
  ['keycloak', { op: 'has', claim: 'realm_access.roles', value: 'x' }, /client scope "roles"/],
  ['keycloak', { op: 'acr', value: 'x' }, /client scope "acr"/],
  ['auth0', { op: 'has', claim: 'https://example.com/roles', value: 'x' }, /an Action that sets the claim/],
  ['auth0', { op: 'scope', value: 'x' }, /request the scope from Auth0/],
  ['cognito', { op: 'group', value: 'staff' }, /without a group in the pool/],
  ['kubernetes', { op: 'is', claim: 'kubernetes.io.pod.name', value: 'x' }, /projected into a pod/],
  ['github-actions', { op: 'like', claim: 'environment', value: 'x*' }, /jobs with "environment:"/],
])('help at %s if %j is unknown', (kind, fact, help) => {
  expect(helpOf(kind, fact)).toMatch(help);
});

test('has no help for a claim that is there, for another provider’s claim, and for an unknown claim', () => {
  const group = { op: 'group', value: 'staff' };
  expect(helpOf('okta', group, { groups: ['guests'] })).toBeUndefined();
  expect(helpOf('okta', group, { groups: 7 })).toBeUndefined();
  expect(helpOf('okta', { ...group, provider: 'other' })).toBeUndefined();
  expect(helpOf('okta', { ...group, provider: 'p' })).toBeDefined();
  expect(helpOf('generic', group)).toBeUndefined();
  expect(helpOf('kubernetes', group)).toBeUndefined();
  expect(claimHelp(providerKinds.keycloak, 'realm_accessory.roles')).toBeUndefined();
  expect(claimHelp(providerKinds.keycloak, 'toString')).toBeUndefined();
});

test('help at Keycloak if a sign-in brings no roles: its default scope adds them only to access tokens', () => {
  for (const path of ['resource_access.wiki.roles', 'resource_access']) {
    expect(signinHelp(providerKinds.keycloak, path)).toMatch(/mapper "client roles".*"Add to ID token"/);
  }
  expect(signinHelp(providerKinds.keycloak, 'realm_access.roles')).toMatch(/mapper "realm roles".*"Add to ID token"/);
  expect(signinHelp(providerKinds.keycloak, 'groups')).toBeUndefined();
  expect(signinHelp(providerKinds.okta, 'resource_access')).toBeUndefined();
  expect(signinHelp(providerKinds.okta, 'groups')).toMatch(/in ID tokens/);
});

test.each(Object.entries(claimHelps))(
  'help of %s is short, because it is printed beside the actual and the expected value',
  (kind, help) => {
    expect(Object.keys(providerKinds)).toContain(kind);
    expect(Object.isFrozen(help)).toBe(true);
    for (const text of Object.values(help)) {
      expect(text.length).toBeLessThanOrEqual(120);
      expect(text).not.toMatch(/\.$/);
    }
  },
);
