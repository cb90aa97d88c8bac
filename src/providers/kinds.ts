import { auth0 } from './auth0.ts';
import { cognito } from './cognito.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { githubActions } from './github-actions.ts';
import { google } from './google.ts';
import { keycloak } from './keycloak.ts';
import { kubernetes } from './kubernetes.ts';
import { okta } from './okta.ts';
import { spiffe } from './spiffe.ts';
import type { ProviderKind } from './types.ts';

/** Every kind that a policy's `kind` may name. */
export const providerKinds = Object.freeze({
  okta,
  entra,
  keycloak,
  auth0,
  google,
  cognito,
  'github-actions': githubActions,
  kubernetes,
  spiffe,
  generic,
}) satisfies Record<string, ProviderKind>;

export type ProviderKindName = keyof typeof providerKinds;

/** Names of the kinds, in the order in which help lists them. */
export const providerKindNames = Object.keys(providerKinds) as [ProviderKindName, ...ProviderKindName[]];

/** The record of a kind; undefined if the name is not one of ours. */
export function providerKind(name: string): ProviderKind | undefined {
  return Object.hasOwn(providerKinds, name) ? providerKinds[name as ProviderKindName] : undefined;
}
