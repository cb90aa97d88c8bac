import { deepFreeze } from './freeze.ts';
import type { ClaimHelp, ProviderKind } from './types.ts';

/**
 * Okta: an authorization server of one's own (`https://D/oauth2/ID`), or, for sign-in alone, the organisation's. It has to
 * be told to issue the claim `groups`.
 */
export const okta: ProviderKind = deepFreeze({
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
});

/** What to do there where ID tokens lack a claim that access tokens have. */
export const oktaSigninHelp: ClaimHelp = /* @__PURE__ */ deepFreeze({
  groups: 'at Okta: Security > API > the authorization server > Claims > "groups", in ID tokens, always',
});

/** What to do there, by claim. */
export const oktaHelp: ClaimHelp = /* @__PURE__ */ deepFreeze({
  aud: 'it is the audience of the authorization server: at Okta, Security > API',
  groups: 'at Okta: Security > API > the authorization server > Claims > "groups", in access tokens, by filter',
  scp: 'at Okta: Security > API > the authorization server > Scopes and Access Policies',
  uid: 'the token of a client itself has no "uid"',
  '*': 'at Okta: Security > API > the authorization server > Claims, in access tokens',
});
