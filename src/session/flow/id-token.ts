import { type Refused, type Result, refuse } from '../../base/reasons.ts';
import { quoted, quotedList } from '../../token/detail.ts';
import type { JoseHeader } from '../../token/format.ts';
import { checkTimes } from '../../token/times.ts';
import type { Claims } from '../../token/types.ts';
import {
  audiencesOf,
  checkAudience,
  checkIssuer,
  checkTypes,
  type ProviderTokenContext,
  verifyProviderToken,
} from '../provider-token.ts';
import type { StepUp } from '../signin-table.ts';
import { sameText } from './random.ts';

export interface Expected extends StepUp {
  readonly nonce: string;
  /** The access token that came with the ID token, for `at_hash`. */
  readonly accessToken?: string | undefined;
}

const KIND = { name: 'an ID token', types: ['jwt', 'application/jwt', 'id+jwt'], own: 'id' };

function checkType(header: JoseHeader, claims: Claims): Refused {
  if (claims.events !== undefined) return refuse('type_refused', 'it is a logout token');
  return checkTypes(header, claims, KIND);
}

/** Checks OpenID Connect Core section 3.1.3.7, points 2 to 5: issuer and audience. */
function checkParties(claims: Claims, context: ProviderTokenContext): Refused {
  const { sub, azp } = claims;
  const refused = checkIssuer(claims, context);
  if (refused !== undefined) return refused;
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) {
    return refuse('claim_absent', '"sub" is not a string of 1 to 255 characters');
  }
  const other = checkAudience(claims, context);
  if (other !== undefined) return other;
  const audiences = audiencesOf(claims);
  if (audiences.length > 1 && azp === undefined) {
    return refuse('audience_mismatch', `it is for ${quotedList(audiences)}, and "azp" names none of them`);
  }
  if (azp === undefined || azp === context.clientId) return undefined;
  return refuse('audience_mismatch', `its "azp" is ${quoted(azp)}`);
}

/** Checks points 9 and 10: the times of expiry and of issue. */
function checkAges(claims: Claims, now: number, skew: number): Refused {
  if (claims.iat === undefined) return refuse('claim_absent', 'it has no "iat"');
  return checkTimes(claims, now, skew);
}

/** Returns the hash with which `at_hash` is made (section 3.1.3.6). For EdDSA it is SHA-512. */
function hashOf(alg: string): 'SHA-256' | 'SHA-384' | 'SHA-512' {
  if (alg.endsWith('256')) return 'SHA-256';
  return alg.endsWith('384') ? 'SHA-384' : 'SHA-512';
}

const encoder = new TextEncoder();

async function checkAccessToken(
  { at_hash: reported }: Claims,
  alg: string,
  token: string | undefined,
): Promise<Refused> {
  if (reported === undefined) return undefined;
  if (token === undefined) return refuse('claim_absent', 'it has "at_hash", but came without an access token');
  const digest = new Uint8Array(await crypto.subtle.digest(hashOf(alg), encoder.encode(token) as never));
  const half = Buffer.from(digest.slice(0, digest.length / 2)).toString('base64url');
  return typeof reported === 'string' && sameText(reported, half)
    ? undefined
    : refuse('signature_invalid', 'its "at_hash" does not match the access token');
}

/** Checks points 12 and 13: whether the provider met the requirements of the request. */
function checkRequested(
  { acr, auth_time: at }: Claims,
  { acrValues, maxAge }: StepUp,
  now: number,
  skew: number,
): Refused {
  if (acrValues !== undefined && !(typeof acr === 'string' && acrValues.includes(acr))) {
    return refuse(
      'step_up_required',
      `the "acr" is ${quoted(acr ?? 'missing')}, this requires ${quotedList(acrValues)}`,
    );
  }
  if (maxAge === undefined) return undefined;
  if (typeof at !== 'number') return refuse('claim_absent', 'it has no "auth_time", which "max_age" requires');
  if (at > now + skew) return refuse('token_not_yet_valid', '"auth_time" is in the future');
  return now - at <= maxAge + skew
    ? undefined
    : refuse('step_up_required', `the sign-in is ${Math.floor(now - at)} s old, the maximum is ${maxAge}`);
}

function verified(
  text: string,
  context: ProviderTokenContext,
  now: number,
  more: (claims: Claims, alg: string) => Promise<Refused>,
): Promise<Result<Claims>> {
  const check = (claims: Claims, header: JoseHeader) =>
    checkType(header, claims) ?? checkParties(claims, context) ?? checkAges(claims, now, context.skew);
  return verifyProviderToken(text, context, (claims, header) => check(claims, header) ?? more(claims, header.alg));
}

/** Verifies the ID token of a sign-in (OpenID Connect Core section 3.1.3.7): its signature by a key of the provider and
 * an allowed algorithm; its issuer, audience, times and nonce; and the requirements of the request.
 * @param now seconds since the epoch
 * @returns the claims, or the first reason that applies: `step_up_required` if the provider signed the person in but
 * did not meet the requirements; `provider_unavailable` if there are no keys
 * @throws if no nonce was expected: each sign-in has one */
export async function verifyIdToken(text: string, expected: Expected, context: ProviderTokenContext, now: number) {
  const { nonce, accessToken } = expected;
  if (typeof nonce !== 'string' || nonce === '') throw new Error('an ID token is checked without a nonce');
  return verified(text, context, now, async (claims, alg) => {
    const isOurs = typeof claims.nonce === 'string' && sameText(claims.nonce, nonce);
    if (!isOurs) return refuse('claim_absent', 'its "nonce" is not from this sign-in');
    return (await checkAccessToken(claims, alg, accessToken)) ?? checkRequested(claims, expected, now, context.skew);
  });
}

/** Verifies an ID token of a refresh (section 12.2). It needs no nonce, but its subject must be the same as before.
 * @param subject `sub` of the session's first ID token */
export async function verifyRefreshedIdToken(
  text: string,
  { subject, accessToken }: { readonly subject: string; readonly accessToken?: string | undefined },
  context: ProviderTokenContext,
  now: number,
): Promise<Result<Claims>> {
  return verified(text, context, now, async (claims, alg) => {
    if (claims.sub !== subject) return refuse('audience_mismatch', 'it is about another person');
    return checkAccessToken(claims, alg, accessToken);
  });
}
