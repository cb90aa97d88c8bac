import type { AboutKind, ClaimHelp, Issuers, ProviderKind } from './types.ts';

/** Auth0, one tenant. Access tokens are JWTs only if the client requested the audience of an API. `permissions` has the
 * permissions of the API; names of other custom claims are URLs. */
export const kind: ProviderKind = {
  name: 'auth0',
  groups: 'groups',
  scopes: ['scope'],
  // `azp` is from Auth0's own token profile, `client_id` from RFC 9068.
  client: ['azp', 'client_id'],
  tellsByClient: true,
  alone: [
    [{ claim: 'gty', is: 'client-credentials' }],
    [{ claim: 'sub', as: 'azp', after: '@clients' }],
    [{ claim: 'sub', as: 'client_id', after: '@clients' }],
  ],
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  refusedTypes: [],
  signin: { scopes: ['openid', 'profile', 'email', 'offline_access'], userinfo: true },
};

export const issuers: Issuers = {
  looksLike: [/^https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)?\.auth0\.com(?:\/|$)/],
  endsInSlash: () => true,
};

export const help: ClaimHelp = {
  aud: 'request the token from Auth0 with the parameter audience, which is the identifier of this API',
  permissions: 'at Auth0: APIs > this API > Enable RBAC, and Add Permissions in the Access Token',
  scope: 'request the scope from Auth0; the API must define this scope',
  '*': 'at Auth0: add an Action that sets the claim with api.accessToken.setCustomClaim()',
};

export const about: AboutKind = {
  title: 'Auth0',
  registering: [
    'Auth0, Applications > Create Application > Regular Web Application; grant types: Authorization Code, Refresh Token.',
    'For roles: Actions > Triggers > post-login: api.idToken.setCustomClaim("https://example.com/roles", event.authorization.roles).',
  ],
};
