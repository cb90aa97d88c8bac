import { deepFreeze } from './freeze.ts';
import type { ProviderKind } from './types.ts';

/**
 * Okta: an authorization server of one's own (`https://D/oauth2/ID`), or, for sign-in alone, the organisation's. It has to
 * be told to issue the claim `groups`.
 */
export const okta: ProviderKind = Object.freeze({
  name: 'okta',
  groups: 'groups',
  scopes: Object.freeze(['scp', 'scope']),
  client: Object.freeze(['cid']),
  tellsByClient: true,
  // Every person's token has both, and a subject that is no client's id.
  alone: deepFreeze([
    [
      { claim: 'uid', absent: true },
      { claim: 'sub', as: 'cid' },
    ],
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: Object.freeze([true]),
  refusedTypes: Object.freeze(['id', 'logout']),
  signin: Object.freeze({
    scopes: Object.freeze(['openid', 'profile', 'email', 'offline_access']),
    // Beside an access token, its ID tokens lack most of a profile.
    userinfo: true,
  }),
});
