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
  wants: 'an ID token of a service account for this audience',
  spellings: ['https://accounts.google.com', 'accounts.google.com'],
  ofAnybody: true,
  signin: {
    // Google issues refresh tokens only with consent, so the gateway does not request them and renews with prompt=none.
    scopes: ['openid', 'profile', 'email'],
    userinfo: true,
  },
};

export const issuers: Issuers = {
  looksLike: [/^(?:https:\/\/)?accounts\.google\.com\/?$/],
  only: 'https://accounts.google.com',
};

/** Claims that name the owner. The domain of an address does not, because an account can have any address. */
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
  aud: 'request an ID token for this audience from Google, for example with ?audience=… at the metadata server',
  email: 'request the token with includeEmail, or with ?format=full at the metadata server',
  hd: 'only people of a Google Workspace or Cloud organisation have this claim',
};

export const about: AboutKind = {
  title: 'Google',
  registering: [
    'Google Cloud console, Google Auth Platform > Clients > Create client > Web application.',
    'Google has no groups: compare "hd" (the organisation) or "email".',
  ],
};
