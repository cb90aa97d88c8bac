import { claims, common, type KindTable, miss } from './table.ts';

const issuer = 'https://login.example.com/realms/corp';

export const keycloak: KindTable = {
  provider: { issuer, audiences: ['wiki'] },
  role: {
    any: [
      { all: [{ group: 'staff' }, { claim: 'realm_access.roles', has: 'editor' }] },
      { claim: 'resource_access.wiki.roles', has: 'indexer' },
    ],
  },
  header: { typ: 'JWT' },
  claims: (now) => ({
    exp: now + 240,
    iat: now - 60,
    auth_time: now - 300,
    jti: 'onrtac:5c1f4b3a-0d7e-4a52-9b51-0d4c7d8f2a11',
    iss: issuer,
    aud: ['wiki', 'account'],
    sub: '6f3f0a0e-7b0c-4f0e-9d5e-2f8a7b1c4d3e',
    typ: 'Bearer',
    azp: 'wiki-web',
    sid: '0b4f2d3c-9a8e-4c7d-8b6a-5f4e3d2c1b0a',
    acr: '1',
    'allowed-origins': ['https://wiki.example.com'],
    realm_access: { roles: ['default-roles-corp', 'offline_access', 'editor'] },
    resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
    scope: 'openid email profile',
    email_verified: true,
    name: 'Ann Example',
    groups: ['staff'],
    preferred_username: 'ann',
    given_name: 'Ann',
    family_name: 'Example',
    email: 'ann@example.com',
  }),
  passes: [
    {
      name: 'of a client itself',
      claims: {
        ...{ azp: 'indexer', client_id: 'indexer', preferred_username: 'service-account-indexer' },
        ...{
          clientHost: '10.0.0.7',
          clientAddress: '10.0.0.7',
          groups: undefined,
          sid: undefined,
          auth_time: undefined,
        },
        resource_access: { wiki: { roles: ['indexer'] } },
      },
    },
    { name: 'that is bound by DPoP', claims: { typ: 'DPoP' } },
  ],
  misses: [
    ...common(),
    claims('of another realm', 'issuer_unknown', { iss: 'https://login.example.com/realms/master' }),
    claims('of an issuer with a slash', 'issuer_unknown', { iss: `${issuer}/` }),
    claims('of an older address', 'issuer_unknown', { iss: 'https://login.example.com/auth/realms/corp' }),
    claims('that is an ID token', 'type_refused', { typ: 'ID', aud: 'wiki' }, 'of the type "ID"'),
    claims('that is an ID token in lower case', 'type_refused', { typ: 'id' }),
    claims('that is a refresh token', 'type_refused', { typ: 'Refresh' }, 'of the type "Refresh"'),
    miss('that is a refresh token as Keycloak signs it', 'algorithm_refused', {
      claims: { typ: 'Refresh' },
      alg: 'HS512',
    }),
    claims('that is an offline token', 'type_refused', { typ: 'Offline' }),
    miss('that is a logout token', 'type_refused', {
      header: { typ: 'logout+jwt' },
      claims: { typ: 'Logout', events: {} },
    }),
    claims('for the account console alone', 'audience_mismatch', { aud: 'account' }, 'a mapper of the type Audience'),
    claims('that is lightweight', 'claim_absent', { sub: undefined }, 'give the client the client scope "basic"'),
    claims('without roles', 'role_missing', { realm_access: undefined }),
    claims('with roles that are no list', 'role_missing', { realm_access: { roles: { editor: true } } }),
    claims('with the role of another client', 'role_missing', {
      groups: [],
      resource_access: { pay: { roles: ['indexer'] } },
    }),
    claims('with a role under its path as a name', 'role_missing', { realm_access: 'editor', groups: ['staff'] }),
    claims('with groups by their paths', 'role_missing', { groups: ['/staff'] }),
  ],
};
