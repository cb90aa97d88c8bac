import type { AboutKind, ClaimHelp, Issuers, ProviderKind } from './types.ts';

/** Keycloak, one realm. Groups in tokens, and roles in ID tokens, require a mapper. */
export const kind: ProviderKind = {
  name: 'keycloak',
  groups: 'groups',
  scopes: ['scope', 'scp'],
  client: ['azp', 'client_id'],
  // The service account of a client is a user whose name contains the client id in lower case. `azp` has the original
  // spelling of the client id. With the scope `service_account`, tokens also have the client id; in older versions the
  // claim is `clientId`.
  alone: ['azp', 'client_id', 'clientId'].map((as) => [
    { claim: 'preferred_username', as, before: 'service-account-', ignoreCase: true } as const,
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  refusedTypes: ['id', 'refresh', 'offline', 'logout', 'serialized-id', 'action', 'initial-access'],
  signin: {
    // Keycloak always issues refresh tokens. offline_access is for refresh tokens that outlive the session at Keycloak.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const issuers: Issuers = { looksLike: [/^https:\/\/.+\/realms\/[^/]+\/?$/] };

/** The client scope "roles" adds these claims only to access tokens, not to ID tokens and UserInfo. */
export const signinHelp: ClaimHelp = {
  realm_access: 'at Keycloak: Client scopes > roles, mapper "realm roles": "Add to ID token" (off by default)',
  resource_access: 'at Keycloak: Client scopes > roles, mapper "client roles": "Add to ID token" (off by default)',
};

export const help: ClaimHelp = {
  aud: 'at Keycloak: give the client that requests the token a client scope with a mapper of the type Audience',
  sub: 'at Keycloak: give the client the client scope "basic"',
  auth_time: 'at Keycloak: give the client the client scope "basic"',
  groups: 'at Keycloak: a mapper of the type Group Membership, name "groups", full path off',
  realm_access: 'at Keycloak: give the client the client scope "roles", and the person the role',
  resource_access: 'at Keycloak: give the client the client scope "roles", and the person the role',
  acr: 'at Keycloak: give the client the client scope "acr"',
  email: 'at Keycloak: give the client the client scope "email"',
  email_verified: 'at Keycloak: give the client the client scope "email"',
  preferred_username: 'at Keycloak: give the client the client scope "profile"',
  client_id: 'only service accounts have this claim, from the client scope "service_account"',
};

export const about: AboutKind = {
  title: 'Keycloak',
  registering: [
    'Keycloak, Clients > Create client > OpenID Connect; client authentication on, only the standard flow.',
    'For groups: the client’s dedicated scope > Add mapper > Group Membership, token claim name "groups", full path off.',
    'For roles: Client scopes > roles > Mappers > "realm roles" and "client roles": "Add to ID token". By default they are only in access tokens, so a sign-in does not return them.',
  ],
};
