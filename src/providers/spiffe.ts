import { deepFreeze } from './freeze.ts';
import type { ClaimHelp, ProviderKind } from './types.ts';

/**
 * JWT-SVIDs of one trust domain: `sub` is the workload's SPIFFE id, and `iss` may be absent. Keys come from a bundle
 * endpoint, where those for tokens have a `use` of their own.
 */
export const spiffe: ProviderKind = deepFreeze({
  name: 'spiffe',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  type: 'jose',
  refusedTypes: [],
  wants: 'a JWT-SVID',
  keyUse: 'jwt-svid',
});

/** What to do there, by claim. */
export const spiffeHelp: ClaimHelp = /* @__PURE__ */ deepFreeze({
  aud: 'ask the Workload API for a JWT-SVID of this audience',
});
