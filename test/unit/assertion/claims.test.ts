import { expect, test } from 'vitest';
import { assertionClaims } from '../../../src/assertion/claims.ts';

const ASSERTION = { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60 };
const GRANT = { service: 'wiki', as: 'default' };
const ADA = { provider: 'okta', subject: 'ada', roles: ['reader', 'editor'] };

test('roles are a list', () => {
  expect(assertionClaims(ASSERTION, GRANT, ADA, 1000.7)).toEqual({
    iss: 'https://gw.test',
    aud: 'wiki',
    sub: 'ada',
    provider: 'okta',
    roles: ['reader', 'editor'],
    as: 'default',
    iat: 1000,
    exp: 1060,
  });
});

test('for Consul each role is also a member of by_role, which names the kind of caller', () => {
  const own = { ...ASSERTION, byRole: true } as const;
  expect(assertionClaims(own, GRANT, ADA, 0).by_role).toEqual({
    authenticated: 'person',
    reader: 'person',
    editor: 'person',
  });
  expect(assertionClaims(own, GRANT, { ...ADA, roles: ['reader'], agent: 'pages' }, 0).by_role).toEqual({
    authenticated: 'agent pages',
    reader: 'agent pages',
  });
});
