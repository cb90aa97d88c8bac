import type { AboutKind, ClaimHelp, Issuers, ProviderKind } from './types.ts';

/** Amazon Cognito, one user pool. An access token has an `aud` only if the client requested a resource. */
export const kind: ProviderKind = {
  name: 'cognito',
  groups: 'cognito:groups',
  audienceElse: 'client_id',
  scopes: ['scope'],
  client: ['client_id'],
  says: { claim: 'token_use', is: 'access' },
  alone: [
    [
      { claim: 'sub', as: 'client_id' },
      { claim: 'username', absent: true },
    ],
  ],
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  // The UserInfo endpoint returns this value as text.
  verifiedAs: [true, 'true'],
  refusedTypes: [],
  signin: {
    // Cognito always issues refresh tokens. It rejects scopes that it does not know.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^https:\/\/cognito-idp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//],
};

export const help: ClaimHelp = {
  aud: 'write the ids of the app clients as audiences, or ask Cognito for a resource',
  'cognito:groups': 'people without a group in the pool lack this claim, and so do tokens of a client itself',
  scope: 'at Cognito: a resource server of the pool, and its custom scopes for the app client',
  '*': 'at Cognito: a pre token generation trigger of version 2 adds the claim to access tokens',
};

export const about: AboutKind = {
  title: 'Amazon Cognito',
  registering: [
    'Amazon Cognito, the user pool > App clients > Create app client > Traditional web application, with a client secret.',
    'Login pages: Authorization code grant; the scopes openid, profile and email.',
  ],
};
