import type { SigninProvider, StepUp } from '../signin-table.ts';
import type { Attempt } from './attempt.ts';
import type { Metadata } from './provider-metadata.ts';
import type { Params } from './query.ts';
import { sha256 } from './random.ts';

/** What the provider must show about the sign-in. The ID token must contain it. */
export type Asked = StepUp;

/** Returns what an attempt requires of the sign-in, in addition to the provider's own policy. The provider must meet
 * the requirements of a role. The policy's `acr_values` are voluntary, as OpenID Connect Core section 5.5.1.1 defines
 * them; its `max_age` is mandatory.
 * @param stepUps requirements by role */
export function askedBy(
  { mode, role }: Pick<Attempt, 'mode' | 'role'>,
  { signin }: Pick<SigninProvider, 'signin'>,
  stepUps: Readonly<Record<string, StepUp>>,
): Asked {
  const own = signin.maxAge === undefined ? {} : { maxAge: signin.maxAge };
  const step = mode === 'step' && role !== undefined && Object.hasOwn(stepUps, role) ? stepUps[role] : undefined;
  if (step === undefined) return own;
  const maxAge = Math.min(step.maxAge ?? Number.POSITIVE_INFINITY, signin.maxAge ?? Number.POSITIVE_INFINITY);
  return {
    ...(Number.isFinite(maxAge) && { maxAge }),
    ...(step.acrValues !== undefined && step.acrValues.length > 0 && { acrValues: step.acrValues }),
  };
}

/** Returns the parameters of the authorization request (OpenID Connect Core section 3.1.2.1, RFC 7636 section 4.3).
 * @param state the sealed attempt
 * @param more `login_hint`, if the person is known */
export function authorizationParams(
  attempt: Attempt,
  { client, signin }: Pick<SigninProvider, 'client' | 'signin'>,
  asked: Asked,
  redirect: string,
  state: string,
  more: { readonly hint?: string } = {},
): Params {
  const prompt = attempt.mode === 'renew' ? 'none' : signin.prompt;
  const acrValues = asked.acrValues ?? signin.acrValues;
  const params: (readonly [string, string])[] = [
    ['response_type', 'code'],
    ['client_id', client.id],
    ['redirect_uri', redirect],
    ['scope', signin.scopes.join(' ')],
    ['state', state],
    ['nonce', attempt.nonce],
    ['code_challenge', sha256(attempt.verifier)],
    ['code_challenge_method', 'S256'],
  ];
  if (prompt !== undefined) params.push(['prompt', prompt]);
  if (asked.maxAge !== undefined) params.push(['max_age', String(asked.maxAge)]);
  if (acrValues !== undefined && acrValues.length > 0) params.push(['acr_values', acrValues.join(' ')]);
  if (more.hint !== undefined) params.push(['login_hint', more.hint]);
  return params;
}

/** Whether the request is first pushed to the provider (RFC 9126). This is the case if the policy says so or the
 * provider requires it. */
export function isPushed({ signin }: Pick<SigninProvider, 'signin'>, metadata: Metadata): boolean {
  return signin.par ?? metadata.parRequired;
}
