import { deepFreeze } from './freeze.ts';
import type { ProviderKind } from './types.ts';

/** Any provider whose access tokens are JWTs (RFC 9068 or older habits) with a `groups` claim. */
export const generic: ProviderKind = Object.freeze({
  name: 'generic',
  groups: 'groups',
  scopes: Object.freeze(['scope', 'scp']),
  client: Object.freeze(['azp', 'client_id', 'cid']),
  // RFC 9068, section 5: the subject is the client then.
  alone: deepFreeze([
    [{ claim: 'sub', as: 'azp' }],
    [{ claim: 'sub', as: 'client_id' }],
    [{ claim: 'sub', as: 'cid' }],
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: Object.freeze([true]),
  // Keycloak's names for its other tokens.
  refusedTypes: Object.freeze(['id', 'refresh', 'offline', 'logout', 'serialized-id', 'action', 'initial-access']),
  signin: Object.freeze({
    // OpenID Connect Core, section 11: offline_access wants a consent each time, so it is not asked for unsaid.
    scopes: Object.freeze(['openid', 'profile', 'email']),
    userinfo: true,
  }),
});
