import { claims, common, type KindTable } from './table.ts';

const issuer = 'https://example.eu.auth0.com/';
const api = 'https://wiki.example.com/api';

export const auth0: KindTable = {
  provider: { issuer, audiences: [api] },
  role: {
    any: [
      { claim: 'https://example.com/roles', has: 'editor' },
      { claim: 'permissions', has: 'index:pages' },
    ],
  },
  header: { typ: 'JWT' },
  claims: (now) => ({
    'https://example.com/roles': ['editor'],
    iss: issuer,
    sub: 'auth0|6070f4c6d7a1b5006f0c4c11',
    aud: [api, 'https://example.eu.auth0.com/userinfo'],
    iat: now - 60,
    exp: now + 86000,
    scope: 'openid profile read:pages',
    azp: 'XkD3rVQ0q2mZ7wYtN1pLbC8sHfJ6gA4e',
    permissions: ['read:pages'],
  }),
  passes: [
    {
      name: 'of the profile of RFC 9068',
      header: { typ: 'at+jwt' },
      claims: { azp: undefined, client_id: 'XkD3rVQ0q2mZ7wYtN1pLbC8sHfJ6gA4e', jti: 'VjVfZ1u3' },
    },
    {
      name: 'of an application itself',
      claims: {
        ...{ gty: 'client-credentials', sub: 'Zx9@clients', azp: 'Zx9', aud: api, scope: 'index:pages' },
        ...{ permissions: ['index:pages'], 'https://example.com/roles': undefined },
      },
    },
  ],
  misses: [
    ...common(),
    claims('of an issuer without its slash', 'issuer_unknown', { iss: 'https://example.eu.auth0.com' }),
    claims('of another tenant', 'issuer_unknown', { iss: 'https://example.us.auth0.com/' }),
    claims(
      'for its UserInfo endpoint alone',
      'audience_mismatch',
      { aud: `${issuer}userinfo` },
      'the parameter audience',
    ),
    claims('for the API with a slash', 'audience_mismatch', { aud: `${api}/` }),
    claims(
      'that is an ID token without a nonce',
      'type_refused',
      { azp: undefined, scope: undefined },
      'no azp nor client_id',
    ),
    claims('with roles under another scheme', 'role_missing', {
      'https://example.com/roles': undefined,
      'http://example.com/roles': ['editor'],
    }),
    claims('with roles under parts of the name', 'role_missing', {
      'https://example.com/roles': undefined,
      'https://example': { 'com/roles': ['viewer'] },
    }),
    claims('with roles as one text', 'role_missing', { 'https://example.com/roles': 'editors' }),
    claims('with a permission as a scope', 'role_missing', {
      'https://example.com/roles': [],
      scope: 'index:pages',
    }),
    claims('without roles and permissions', 'role_missing', {
      'https://example.com/roles': undefined,
      permissions: undefined,
    }),
  ],
};
