import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { keycloak } from './keycloak.ts';
import { okta } from './okta.ts';
import type { ProviderKind } from './types.ts';

export type { AgentMark, ProviderKind, Sign, SigninDefaults } from './types.ts';

/** Every kind that a policy's `kind` may name. */
export const providerKinds = Object.freeze({ okta, entra, keycloak, generic }) satisfies Record<string, ProviderKind>;

export type ProviderKindName = keyof typeof providerKinds;

/** Names of the kinds, in the order in which help lists them. */
export const providerKindNames = Object.keys(providerKinds) as [ProviderKindName, ...ProviderKindName[]];

/** The record of a kind; undefined if the name is not one of ours. */
export function providerKind(name: string): ProviderKind | undefined {
  return Object.hasOwn(providerKinds, name) ? providerKinds[name as ProviderKindName] : undefined;
}

/** What the issuers of a kind look like. */
const ISSUERS: readonly (readonly [kind: ProviderKindName, issuer: RegExp])[] = [
  ['okta', /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:\/|$)/],
  [
    'entra',
    /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)\//,
  ],
  ['entra', /^https:\/\/[a-z0-9-]+\.ciamlogin\.com\//],
  ['keycloak', /^https:\/\/.+\/realms\/[^/]+$/],
];

/** The kind of provider that an issuer looks like. */
export function kindOfIssuer(issuer: string): ProviderKindName {
  return ISSUERS.find(([, pattern]) => pattern.test(issuer))?.[0] ?? 'generic';
}
