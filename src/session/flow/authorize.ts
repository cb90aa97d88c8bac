import { ownOf } from '../../base/own.ts';
import type { SigninProvider, StepUp } from '../signin-table.ts';
import type { Attempt } from './attempt.ts';
import type { SigninMetadata } from './provider-metadata.ts';
import type { Params } from './query.ts';
import { sha256 } from './random.ts';

type Requested = Pick<SigninProvider, 'signin'>;

/** Returns what an attempt requires of the sign-in. The provider must meet the requirements of a role and the policy's
 * `max_age`; the policy's `acr_values` are voluntary (OpenID Connect Core section 5.5.1.1).
 * @param stepUps requirements by role */
export function signinRequirements(
  { mode, role }: Pick<Attempt, 'mode' | 'role'>,
  { signin }: Requested,
  stepUps: Readonly<Record<string, StepUp>>,
): StepUp {
  const own = signin.maxAge === undefined ? {} : { maxAge: signin.maxAge };
  const step = mode === 'step' && role !== undefined ? ownOf(stepUps, role) : undefined;
  if (step === undefined) return own;
  const maxAge = Math.min(step.maxAge ?? Number.POSITIVE_INFINITY, signin.maxAge ?? Number.POSITIVE_INFINITY);
  return {
    ...(Number.isFinite(maxAge) && { maxAge }),
    ...(step.acrValues !== undefined && step.acrValues.length > 0 && { acrValues: step.acrValues }),
  };
}

/** Returns the parameters of the authorization request (OpenID Connect Core section 3.1.2.1, RFC 7636 section 4.3).
 * `hint` is the `login_hint`, if the person is known. */
export function authorizationParams(
  attempt: Attempt,
  { client, signin }: Pick<SigninProvider, 'client' | 'signin'>,
  requested: StepUp,
  { redirect, state, hint }: { readonly redirect: string; readonly state: string; readonly hint?: string },
): Params {
  const prompt = attempt.mode === 'renew' ? 'none' : signin.prompt;
  const acrValues = requested.acrValues ?? signin.acrValues;
  return Object.entries({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: redirect,
    scope: signin.scopes.join(' '),
    state,
    nonce: attempt.nonce,
    code_challenge: sha256(attempt.verifier),
    code_challenge_method: 'S256',
    ...(prompt !== undefined && { prompt }),
    ...(requested.maxAge !== undefined && { max_age: String(requested.maxAge) }),
    ...(acrValues !== undefined && acrValues.length > 0 && { acr_values: acrValues.join(' ') }),
    ...(hint !== undefined && { login_hint: hint }),
    ...signin.parameters,
  });
}

/** Whether the request is first pushed to the provider (RFC 9126), by the policy or as the provider requires.
 * @param learned whether the provider has shown that it requires this (see {@link learnsPush}) */
export function isPushed({ signin }: Requested, metadata: SigninMetadata, learned: boolean): boolean {
  return signin.par ?? (metadata.parRequired || (learned && metadata.par !== undefined));
}

/** Whether only the error of a sign-in shows that the provider accepts no other than pushed requests. It can require
 * this of a single client (RFC 9126 section 6), which its discovery document does not say. */
export const learnsPush = ({ signin }: Requested, { par, parRequired }: SigninMetadata): boolean =>
  signin.par === undefined && par !== undefined && !parRequired;

/** Whether an error may mean this. It has no code of its own (RFC 6749 section 4.1.2.1). */
export const mayRequirePush = (
  error: string,
  { pushed }: Attempt,
  provider: Requested,
  metadata: SigninMetadata,
): boolean => error === 'invalid_request' && !pushed && learnsPush(provider, metadata);
