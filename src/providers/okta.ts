import type { AboutKind, ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/** Okta: a custom authorization server (`https://D/oauth2/ID`) or, for sign-in only, the organisation's own. It issues
 * the claim `groups` only if it is configured to. */
export const kind: ProviderKind = {
  name: 'okta',
  groups: 'groups',
  scopes: ['scp', 'scope'],
  client: ['cid'],
  tellsByClient: true,
  // The token of a person has a uid and a subject that is not a client's id. An answer about a token has client_id.
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
    // If it issues an access token too, its ID tokens lack most of the profile.
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

/** What to change if ID tokens lack a claim that access tokens have. */
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

export const about: AboutKind = {
  title: 'Okta',
  registering: [
    'Okta, Applications > Create App Integration > OIDC, Web Application; grant types: Authorization Code, Refresh Token.',
    'For groups: Security > API > the authorization server > Claims: "groups", in ID tokens, always, groups by filter.',
  ],
};
