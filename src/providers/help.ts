import { auth0Help } from './auth0.ts';
import { cognitoHelp } from './cognito.ts';
import { entraHelp } from './entra.ts';
import { githubActionsHelp } from './github-actions.ts';
import { googleHelp } from './google.ts';
import { keycloakHelp, keycloakSigninHelp } from './keycloak.ts';
import { kubernetesHelp } from './kubernetes.ts';
import { oktaHelp, oktaSigninHelp } from './okta.ts';
import { spiffeHelp } from './spiffe.ts';
import type { ClaimHelp, ProviderKind } from './types.ts';

/** By kind; apart from its record, so that bundles which say nothing of claims are without. */
export const claimHelps: Readonly<Record<string, ClaimHelp>> = /* @__PURE__ */ Object.freeze({
  okta: oktaHelp,
  entra: entraHelp,
  keycloak: keycloakHelp,
  auth0: auth0Help,
  google: googleHelp,
  cognito: cognitoHelp,
  'github-actions': githubActionsHelp,
  kubernetes: kubernetesHelp,
  spiffe: spiffeHelp,
});

/** By kind: of claims that access tokens have as the provider is installed, and ID tokens do not. */
const signinHelps: Readonly<Record<string, ClaimHelp>> = /* @__PURE__ */ Object.freeze({
  okta: oktaSigninHelp,
  keycloak: keycloakSigninHelp,
});

/** What to do at a provider of this kind where its tokens lack a claim; undefined where nothing is known of it. */
export const claimHelp = ({ name }: Pick<ProviderKind, 'name'>, path: string): string | undefined =>
  helpFor(claimHelps[name], path);

/** {@link claimHelp} where what people sign in with lacks a claim. */
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
