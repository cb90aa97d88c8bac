import { withoutSlashes } from '../base/slashes.ts';
import * as auth0 from './auth0.ts';
import * as cognito from './cognito.ts';
import * as entra from './entra.ts';
import * as generic from './generic.ts';
import * as githubActions from './github-actions.ts';
import * as google from './google.ts';
import * as keycloak from './keycloak.ts';
import * as kubernetes from './kubernetes.ts';
import * as okta from './okta.ts';
import * as spiffe from './spiffe.ts';
import type { AboutKind, ClaimHelp, Issuers, Mistaken, Owners, ProviderKind } from './types.ts';

export type { AgentMark, Owners, ProviderKind, Sign, SigninDefaults } from './types.ts';

/* The kinds of providers. To add a kind, write a file, a row in each table for which the kind has a value, and a
 * section of docs/providers.md. There are several tables, so that each bundle contains only the tables that it
 * reads. */

/** Every kind that a policy's `kind` may name. */
export const providerKinds = /* @__PURE__ */ deepFreeze({
  okta: okta.kind,
  entra: entra.kind,
  keycloak: keycloak.kind,
  auth0: auth0.kind,
  google: google.kind,
  cognito: cognito.kind,
  'github-actions': githubActions.kind,
  kubernetes: kubernetes.kind,
  spiffe: spiffe.kind,
  generic: generic.kind,
}) satisfies Record<string, ProviderKind>;

export type ProviderKindName = keyof typeof providerKinds;

type ByKind<T> = Readonly<Partial<Record<string, T>>>;

const mistaken: readonly Mistaken[] = [okta.mistaken, entra.mistaken, kubernetes.mistaken];

/** For each kind, what to change at a provider whose tokens lack a claim. */
export const claimHelps: Readonly<Record<string, ClaimHelp>> = /* @__PURE__ */ deepFreeze({
  okta: okta.help,
  entra: entra.help,
  keycloak: keycloak.help,
  auth0: auth0.help,
  google: google.help,
  cognito: cognito.help,
  'github-actions': githubActions.help,
  kubernetes: kubernetes.help,
  spiffe: spiffe.help,
});

/** For each kind, what to change if a sign-in lacks a claim: by default, only access tokens have these claims. */
const signinHelps: ByKind<ClaimHelp> = { okta: okta.signinHelp, keycloak: keycloak.signinHelp };

/** How to name the owner of a token, for kinds of which anyone can get tokens. */
export const ownersOf: ByKind<Owners> = { google: google.owners, 'github-actions': githubActions.owners };

/** Claims with unverified names. They do not identify callers, and facts must not match a part of such a name. */
export const unverifiedNames: ByKind<readonly string[]> = { entra: entra.unverified };

/** The parts of a kind that only the command reads. A bundle with this table would contain the files of all kinds. */
const files: Readonly<Record<ProviderKindName, { readonly issuers?: Issuers; readonly about: AboutKind }>> = {
  ...{ okta, entra, keycloak, auth0, google, cognito, 'github-actions': githubActions, kubernetes, spiffe, generic },
};

/** The texts that the command prints for people who register the gateway at a provider. */
export const aboutKinds = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ Object.entries(files).map(([name, { about }]) => [name, about]),
) as Record<ProviderKindName, AboutKind>;

/** Names of the kinds, in the order in which help lists them. */
export const providerKindNames = /* @__PURE__ */ Object.keys(providerKinds) as [
  ProviderKindName,
  ...ProviderKindName[],
];

/** The record of a kind; undefined if no kind has this name. */
export const providerKind = (name: string): ProviderKind | undefined =>
  Object.hasOwn(providerKinds, name) ? providerKinds[name as ProviderKindName] : undefined;

/** Returns the kind of provider to which an issuer belongs, from the form of the issuer. */
export function kindOfIssuer(issuer: string): ProviderKindName {
  const fits = (name: ProviderKindName) => files[name].issuers?.looksLike.some((pattern) => pattern.test(issuer));
  return providerKindNames.find(fits) ?? 'generic';
}

/** Returns what to write instead of an issuer that no token of this kind has; undefined if the issuer is right. */
export function issuerProblem(kind: ProviderKindName, issuer: string): string | undefined {
  const own = files[kind].issuers;
  if (own === undefined) return undefined;
  if (own.only !== undefined && issuer !== own.only) return own.only;
  const wanted = own.endsInSlash?.(issuer) ?? false;
  if (issuer.endsWith('/') === wanted) return undefined;
  return wanted ? `${issuer}/` : withoutSlashes(issuer);
}

/** Returns advice for a token whose issuer belongs to no provider of the policy; undefined if there is no advice. */
export function issuerHelp({ iss, aud }: Readonly<Record<string, unknown>>): string | undefined {
  const found = typeof iss === 'string' ? mistaken.find(({ issuer }) => issuer.test(iss)) : undefined;
  const isOther = typeof aud === 'string' && found?.other?.audiences.includes(aud);
  return isOther ? found?.other?.help : found?.help;
}

/** Returns what to change at a provider of this kind if its tokens lack a claim; undefined if there is no advice. */
export const claimHelp = ({ name }: Pick<ProviderKind, 'name'>, path: string): string | undefined =>
  helpFor(claimHelps[name], path);

/** Like {@link claimHelp}, for claims that a sign-in lacks. */
export const signinHelp = ({ name }: Pick<ProviderKind, 'name'>, path: string): string | undefined =>
  helpFor(signinHelps[name], path);

function helpFor(help: ClaimHelp | undefined, path: string): string | undefined {
  if (help === undefined) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end);
    if (Object.hasOwn(help, name)) return help[name];
  }
  return help['*'];
}

function deepFreeze<const T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

/** The placeholder for the id of a tenant in the issuers of Entra ID. */
export const TENANT = '{tenantid}';

export const fillTenant = (template: string, tenant: string): string => template.split(TENANT).join(tenant);

/** Returns the id of the tenant in an issuer of Entra ID; undefined if there is none. */
export const tenantOf = (issuer: unknown): string | undefined =>
  typeof issuer === 'string' ? /^https:\/\/[^/]+\/([^/]+)\//.exec(issuer)?.[1] : undefined;
