import { generic } from './generic.ts';
import type { ProviderKind } from './types.ts';

export type { ProviderKind } from './types.ts';

/** Every kind that a policy's `kind` may name. */
export const providerKinds = Object.freeze({ generic }) satisfies Record<string, ProviderKind>;

export type ProviderKindName = keyof typeof providerKinds;

/** Names of the kinds, in the order in which help lists them. */
export const providerKindNames = Object.keys(providerKinds) as [ProviderKindName, ...ProviderKindName[]];

/** The record of a kind; undefined if the name is not one of ours. */
export function providerKind(name: string): ProviderKind | undefined {
  return Object.hasOwn(providerKinds, name) ? providerKinds[name as ProviderKindName] : undefined;
}
