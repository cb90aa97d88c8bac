import type { ClaimHelp, Issuers, Owners, ProviderKind } from './types.ts';

/**
 * Google. Its access tokens are opaque: services are asked with ID tokens that a service account had made for them, and
 * people sign in. Anybody has a Google account, and anybody's service account gets tokens for any audience.
 */
export const kind: ProviderKind = {
  name: 'google',
  scopes: [],
  client: ['azp'],
  alone: [[{ claim: 'sub', as: 'azp' }], [{ claim: 'email', like: '*.gserviceaccount.com' }]],
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: [true],
  refusedTypes: [],
  wants: 'an ID token that a service account had made for this audience',
  spellings: ['https://accounts.google.com', 'accounts.google.com'],
  ofAnybody: true,
  signin: {
    // It has no offline_access, and no refresh token without a consent: sessions are renewed by prompt=none.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^(?:https:\/\/)?accounts\.google\.com\/?$/],
  only: 'https://accounts.google.com',
};

/** What names whose its tokens are. Not an address by its domain: an account of Google's may have one of any domain. */
export const owners: Owners = {
  at: 'Google',
  named: 'an organisation or an account',
  claims: {
    hd: {},
    sub: {},
    // Service accounts of one project have its id behind the @.
    email: { pattern: '@[a-z0-9-]+\\.iam\\.gserviceaccount\\.com$' },
  },
  write: '{ claim: hd, is: DOMAIN } for people of an organisation, or { claim: email, is: ADDRESS }',
};

export const help: ClaimHelp = {
  aud: 'ask Google for an ID token of this audience, as the metadata server does by ?audience=…',
  email: 'ask Google with includeEmail, or by ?format=full at the metadata server',
  hd: 'only people of a Google Workspace or Cloud organisation have it',
};
