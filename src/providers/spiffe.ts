import type { AboutKind, ClaimHelp, Issuers, ProviderKind } from './types.ts';

/** JWT-SVIDs of one trust domain. `iss` may be absent; keys come from a bundle, and have their own `use`. */
export const kind: ProviderKind = {
  name: 'spiffe',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  type: 'jose',
  refusedTypes: [],
  wants: 'a JWT-SVID',
  keyUse: 'jwt-svid',
};

export const issuers: Issuers = { looksLike: [/^spiffe:\/\//] };

export const help: ClaimHelp = { aud: 'request a JWT-SVID for this audience from the Workload API' };

export const about: AboutKind = {
  title: 'a SPIFFE trust domain',
  registering: ['People cannot sign in with a trust domain: its workloads send JWT-SVIDs.'],
};
