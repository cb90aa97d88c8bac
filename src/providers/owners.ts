import { entraNames } from './entra.ts';
import { githubActionsOwners } from './github-actions.ts';
import { googleOwners } from './google.ts';
import type { Owners } from './types.ts';

/** By kind, of those whose tokens anybody can have; apart from its record, so that bundles which check no policy are without. */
export const ownersOf: Readonly<Record<string, Owners>> = /* @__PURE__ */ Object.freeze({
  google: googleOwners,
  'github-actions': githubActionsOwners,
});

/** By kind: claims with names that nobody has verified. They name no caller, and a part of one says nothing. */
export const unverifiedNames: Readonly<Record<string, readonly string[]>> = /* @__PURE__ */ Object.freeze({
  entra: entraNames,
});
