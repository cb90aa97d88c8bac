import { deepFreeze } from './freeze.ts';
import type { ProviderKind } from './types.ts';

/** Keycloak, one realm. Roles are in `realm_access.roles`; groups, and roles in ID tokens, want a mapper. */
export const keycloak: ProviderKind = Object.freeze({
  name: 'keycloak',
  groups: 'groups',
  scopes: Object.freeze(['scope', 'scp']),
  client: Object.freeze(['azp', 'client_id']),
  // A client's service account is a user of this name, and the scope `service_account` adds the client's id.
  alone: deepFreeze([[{ claim: 'preferred_username', as: 'client_id', before: 'service-account-' }]]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'email_verified',
  verifiedAs: Object.freeze([true]),
  refusedTypes: Object.freeze(['id', 'refresh', 'offline', 'logout', 'serialized-id', 'action', 'initial-access']),
  signin: Object.freeze({
    // It gives refresh tokens anyway; offline_access is for those that outlive the session there.
    scopes: Object.freeze(['openid', 'profile', 'email']),
    userinfo: true,
  }),
});
