import type { AboutKind, ProviderKind } from './types.ts';

/** Any provider whose access tokens are JWTs (RFC 9068 or older habits) with a `groups` claim. */
export const kind: ProviderKind = {
  name: 'generic',
  groups: 'groups',
  scopes: ['scope', 'scp'],
  client: ['azp', 'client_id', 'cid'],
  // RFC 9068, section 2.2: if the subject is the client, no person has signed in.
  alone: ['azp', 'client_id', 'cid', 'appid'].map((as) => [
    { claim: 'sub', as },
    { claim: 'auth_time', absent: true } as const,
    { claim: 'sid', absent: true } as const,
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  // Keycloak's names for its other tokens.
  refusedTypes: ['id', 'refresh', 'offline', 'logout', 'serialized-id', 'action', 'initial-access'],
  signin: {
    // OpenID Connect Core, section 11: offline_access requires consent each time, so the policy must request it.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const about: AboutKind = {
  title: 'an OpenID provider',
  registering: ['At the provider: a confidential web client with the authorization code flow and PKCE (S256).'],
};
