import type { AboutKind, ProviderKind } from './types.ts';

/** Any provider whose access tokens are JWTs, as in RFC 9068 or older practice. */
export const kind: ProviderKind = {
  name: 'generic',
  groups: 'groups',
  scopes: ['scope', 'scp'],
  client: ['azp', 'client_id', 'cid'],
  // If the subject is the client, no person has signed in (RFC 9068, section 2.2).
  alone: ['azp', 'client_id', 'cid', 'appid'].map((as) => [
    { claim: 'sub', as },
    { claim: 'auth_time', absent: true } as const,
    { claim: 'sid', absent: true } as const,
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  // The types that Keycloak gives to its other tokens.
  refusedTypes: ['id', 'refresh', 'offline', 'logout', 'serialized-id', 'action', 'initial-access'],
  signin: {
    // offline_access requires consent at each sign-in (OpenID Connect Core, section 11): only the policy can request
    // it.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const about: AboutKind = {
  title: 'an OpenID provider',
  registering: ['At the provider: a confidential web client with the authorization code flow and PKCE (S256).'],
};
