export { claimHelp, claimHelps, signinHelp } from './help.ts';
export { fillTenant, issuerHelp, issuerProblem, kindOfIssuer, TENANT, tenantOf } from './issuers.ts';
export { type ProviderKindName, providerKind, providerKindNames, providerKinds } from './kinds.ts';
export { ownersOf, unverifiedNames } from './owners.ts';
export type { AgentMark, Owners, ProviderKind, Sign, SigninDefaults } from './types.ts';
