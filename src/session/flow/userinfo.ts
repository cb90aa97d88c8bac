import { claimAt } from '../../base/claim-at.ts';
import { ownOf } from '../../base/own.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import type { ProviderKind } from '../../providers/index.ts';
import { asObject, objectIn } from '../../token/json.ts';
import type { Claims } from '../../token/types.ts';
import type { KeptClaims } from '../types.ts';

/** Returns all claim paths of a provider that the policy reads. */
export function readPaths(kept: KeptClaims | undefined, provider: string): readonly string[] {
  if (kept === undefined) return [];
  return [...(ownOf(kept.paths, provider) ?? []), ...Object.keys(ownOf(kept.elements, provider) ?? {})];
}

/** Whether a claim that the policy reads is missing. */
export function lacksClaims(claims: Claims, paths: readonly string[]): boolean {
  return paths.some((path) => claimAt(claims, path) === undefined);
}

/** Returns the claims that UserInfo cannot confirm: the subject, and claims that only ID tokens contain. */
export function onlyOfTokens(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name === 'sub' || ofTokens.includes(name)));
}

/** Whether a claim that the policy reads was present before and is missing now. */
export const losesClaims = (before: Claims, after: Claims, paths: readonly string[]): boolean =>
  paths.some((path) => claimAt(before, path) !== undefined && claimAt(after, path) === undefined);

/** Claims that only a signed token contains: about the token itself and about the sign-in. */
const ofTokens = [
  ...['iss', 'aud', 'azp', 'exp', 'nbf', 'iat', 'jti', 'nonce', 'typ', 'events'],
  ...['auth_time', 'acr', 'amr', 'sid', 'at_hash', 'c_hash', 's_hash', 'cnf'],
];

type AddressKind = Pick<ProviderKind, 'email' | 'emailVerified'>;

/** Joins the claims of ID token and UserInfo. `email_verified` applies only to the address from the same source. */
function joined(claims: Claims, more: Claims, { email, emailVerified: flag }: AddressKind): Claims {
  const all: Record<string, unknown> = { ...more, ...claims };
  if (email === undefined || flag === undefined || claims[email] === more[email]) return all;
  delete all[flag];
  const from = claims[email] === undefined ? more : claims;
  return from[flag] === undefined ? all : { ...all, [flag]: from[flag] };
}

/** Adds the claims of the UserInfo endpoint to those of an ID token (OpenID Connect Core section 5.3.2). A claim of the
 * signed token is never replaced.
 * @param text body of the answer
 * @param kind of the provider
 * @returns reason `signin_failed` if the answer is not valid or is about another person */
export function withUserinfo(claims: Claims, text: string, kind: AddressKind): Result<Claims> {
  const more = objectIn(text);
  if (more === undefined) return refuse('signin_failed', 'the UserInfo endpoint did not answer with a JSON object');
  return joinUserinfo(claims, more, kind);
}

/** Like {@link withUserinfo}, for claims that were read from the answer. */
export function joinUserinfo(claims: Claims, more: Claims, kind: AddressKind): Result<Claims> {
  // Section 5.3.2: `sub` must be the same; otherwise the values must not be used.
  if (more.sub !== claims.sub) return refuse('signin_failed', 'the UserInfo endpoint answered with another "sub"');
  const reported = Object.entries(more).filter(([name]) => !ofTokens.includes(name));
  return ok(joined(claims, Object.fromEntries(reported), kind));
}

/** Refuses a sign-in if the provider left out claims because there are too many (OpenID Connect Core section 5.6.2;
 * Entra does so with more than 200 groups). Otherwise the person would seem to have no such claims.
 * @param paths the claim paths that the policy reads */
export function checkOverage(claims: Claims, paths: readonly string[]): ReturnType<typeof refuse> | undefined {
  const elsewhere = asObject(claims._claim_names);
  if (elsewhere === undefined) return undefined;
  const path = paths.find((one) => Object.hasOwn(elsewhere, one) && claimAt(claims, one) === undefined);
  if (path === undefined) return undefined;
  return refuse(
    'claim_absent',
    `the provider left out "${path}" because there are too many; configure it to send only groups assigned to the application, or use app roles`,
  );
}
