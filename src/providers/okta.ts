import type { ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/**
 * Okta: an authorization server of one's own (`https://D/oauth2/ID`), or, for sign-in alone, the organisation's. It has to
 * be told to issue the claim `groups`.
 */
export const kind: ProviderKind = {
  name: 'okta',
  groups: 'groups',
  scopes: ['scp', 'scope'],
  client: ['cid'],
  tellsByClient: true,
  // Every person's token has a uid, and a subject that is no client's id. An answer about a token says client_id.
  alone: ['cid', 'client_id'].map((as) => [
    { claim: 'uid', absent: true },
    { claim: 'sub', as },
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  refusedTypes: ['id', 'logout'],
  signin: {
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    // Beside an access token, its ID tokens lack most of a profile.
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:\/|$)/],
};

export const mistaken: Mistaken = {
  issuer: /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com\/?$/,
  help: 'it is of Okta’s organisation server, for Okta alone: ask an authorization server, as https://D/oauth2/default',
};

/** What to do there where ID tokens lack a claim that access tokens have. */
export const signinHelp: ClaimHelp = {
  groups: 'at Okta: Security > API > the authorization server > Claims > "groups", in ID tokens, always',
};

export const help: ClaimHelp = {
  aud: 'it is the audience of the authorization server: at Okta, Security > API',
  groups: 'at Okta: Security > API > the authorization server > Claims > "groups", in access tokens, by filter',
  scp: 'at Okta: Security > API > the authorization server > Scopes and Access Policies',
  uid: 'the token of a client itself has no "uid"',
  '*': 'at Okta: Security > API > the authorization server > Claims, in access tokens',
};
