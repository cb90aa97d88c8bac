import type { AboutKind, ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/** Okta: a custom authorization server (`https://D/oauth2/ID`) or, only for sign-in, the organisation's server. */
export const kind: ProviderKind = {
  name: 'okta',
  groups: 'groups',
  scopes: ['scp', 'scope'],
  client: ['cid'],
  tellsByClient: true,
  // A person's token has a uid, and its subject is no client id. Introspection names the client in client_id.
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
    // If Okta issues an access token with an ID token, the ID token lacks most claims of the profile.
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:\/|$)/],
};

export const mistaken: Mistaken = {
  issuer: /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com\/?$/,
  help: 'this token is from Okta’s organisation server, and only for Okta itself: get one from an authorization server, such as https://D/oauth2/default',
};

/** What to change if ID tokens lack a claim that access tokens have. */
export const signinHelp: ClaimHelp = {
  groups: 'at Okta: Security > API > the authorization server > Claims > "groups", in ID tokens, always',
};

export const help: ClaimHelp = {
  aud: 'the authorization server sets the audience: at Okta, Security > API',
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
