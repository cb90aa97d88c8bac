import type { AboutKind, ClaimHelp, Issuers, Owners, ProviderKind } from './types.ts';

/** Google. Access tokens are opaque, so callers send ID tokens. Anyone can get them for any audience. */
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
    // Google has no offline_access and issues refresh tokens only with consent: sessions are renewed with prompt=none.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^(?:https:\/\/)?accounts\.google\.com\/?$/],
  only: 'https://accounts.google.com',
};

/** Claims that name the owner. The domain of the address does not: an account can have an address of any domain. */
export const owners: Owners = {
  at: 'Google',
  named: 'an organisation or an account',
  claims: {
    hd: {},
    sub: {},
    // In the addresses of a project's service accounts, the id of the project follows the @.
    email: { pattern: '@[a-z0-9-]+\\.iam\\.gserviceaccount\\.com$' },
  },
  write: '{ claim: hd, is: DOMAIN } for people of an organisation, or { claim: email, is: ADDRESS }',
};

export const help: ClaimHelp = {
  aud: 'ask Google for an ID token of this audience, as the metadata server does by ?audience=…',
  email: 'ask Google with includeEmail, or by ?format=full at the metadata server',
  hd: 'only people of a Google Workspace or Cloud organisation have it',
};

export const about: AboutKind = {
  title: 'Google',
  registering: [
    'Google Cloud console, Google Auth Platform > Clients > Create client > Web application.',
    'It has no groups: compare "hd" (the organisation) or "email".',
  ],
};
