import { ok, type Result, refuse } from '../../reasons.ts';
import { listed, shown } from '../../token/detail.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from '../../token/format.ts';
import { isIssuer, isKeyOfIssuer } from '../../token/issuer.ts';
import { type SignatureContext, verifySignature } from '../../token/signature.ts';
import { checkTimes } from '../../token/times.ts';
import type { Claims, Key, TokenProvider } from '../../token/types.ts';
import type { Asked } from './authorize.ts';
import { sameText } from './random.ts';

/** What ID tokens of a provider are checked against. */
export interface IdTokenContext extends SignatureContext {
  readonly provider: Pick<TokenProvider, 'issuer' | 'issuers' | 'algorithms'>;
  readonly clientId: string;
  /** The provider's keys as they are now; `undefined` if it has none yet, or only ones that are too old. */
  readonly keys: readonly Key[] | undefined;
  /** Seconds by which clocks may differ. */
  readonly skew: number;
}

/** What the ID token of one sign-in has to fit. */
export interface Expected extends Asked {
  readonly nonce: string;
  /** What came with it, for `at_hash`. */
  readonly accessToken?: string;
}

type Refused = ReturnType<typeof refuse> | undefined;

/** ID tokens say JWT, or nothing (RFC 8725 section 3.11); a payload's `typ` is Keycloak's. */
function checkType({ typ }: JoseHeader, claims: Claims): Refused {
  const type = typ?.toLowerCase();
  if (type !== undefined && type !== 'jwt' && type !== 'application/jwt' && type !== 'id+jwt') {
    return refuse('type_refused', `it has the type ${shown(typ)} and is no ID token`);
  }
  if (claims.events !== undefined) return refuse('type_refused', 'it is a logout token');
  if (typeof claims.typ === 'string' && claims.typ.toLowerCase() !== 'id') {
    return refuse('type_refused', `it is of the type ${shown(claims.typ)} and is no ID token`);
  }
  return undefined;
}

/** OpenID Connect Core section 3.1.3.7, points 2 to 5. */
function checkParties(claims: Claims, { provider, clientId }: IdTokenContext): Refused {
  const { iss, sub, aud, azp } = claims;
  if (!isIssuer(provider, iss)) return refuse('issuer_unknown', `its issuer is ${shown(iss)}`);
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) {
    return refuse('claim_absent', '"sub" is not a string of 1 to 255 characters');
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) return refuse('audience_mismatch', `it is for ${listed(audiences)}`);
  if (audiences.length > 1 && azp === undefined) {
    return refuse('audience_mismatch', `it is for ${listed(audiences)}, and no "azp" says for whom`);
  }
  if (azp !== undefined && azp !== clientId) return refuse('audience_mismatch', `its "azp" is ${shown(azp)}`);
  return undefined;
}

/** Points 9, 10: when it was made. */
function checkAges(claims: Claims, now: number, skew: number): Refused {
  if (claims.iat === undefined) return refuse('claim_absent', 'it has no "iat"');
  return checkTimes(claims, now, skew);
}

/** Hash of an algorithm's name, which `at_hash` is made by (section 3.1.3.6); EdDSA's is SHA-512. */
function hashOf(alg: string): 'SHA-256' | 'SHA-384' | 'SHA-512' {
  if (alg.endsWith('256')) return 'SHA-256';
  return alg.endsWith('384') ? 'SHA-384' : 'SHA-512';
}

const encoder = new TextEncoder();

async function checkAccessToken({ at_hash: said }: Claims, alg: string, token: string | undefined): Promise<Refused> {
  if (said === undefined) return undefined;
  if (token === undefined) return refuse('claim_absent', 'it has "at_hash", and no access token came with it');
  const digest = new Uint8Array(await crypto.subtle.digest(hashOf(alg), encoder.encode(token) as never));
  const half = Buffer.from(digest.slice(0, digest.length / 2)).toString('base64url');
  return typeof said === 'string' && sameText(said, half)
    ? undefined
    : refuse('signature_invalid', 'its "at_hash" is not that of the access token');
}

/** Points 12, 13: that the provider did what it was asked to. */
function checkAsked({ acr, auth_time: at }: Claims, { acrValues, maxAge }: Asked, now: number, skew: number): Refused {
  if (acrValues !== undefined && !(typeof acr === 'string' && acrValues.includes(acr))) {
    return refuse('step_up_required', `the sign-in was ${shown(acr ?? 'of no acr')}, wanted is ${listed(acrValues)}`);
  }
  if (maxAge === undefined) return undefined;
  if (typeof at !== 'number') return refuse('claim_absent', '"max_age" was asked for, and it has no "auth_time"');
  if (at > now + skew) return refuse('token_not_yet_valid', '"auth_time" lies in the future');
  return now - at <= maxAge + skew
    ? undefined
    : refuse('step_up_required', `the sign-in is ${Math.floor(now - at)} s old, wanted are at most ${maxAge}`);
}

/** Format, algorithm, key, signature, and what holds of every ID token. */
async function verified(
  text: string,
  context: IdTokenContext,
  now: number,
  more: (claims: Claims, alg: string) => Promise<Refused>,
): Promise<Result<Claims>> {
  const jws = splitJws(text);
  if (!jws.ok) return jws;
  const parsed = parseHeader(jws.header);
  if (!parsed.ok) return parsed;
  const header = parsed.value;
  const { provider, keys, skew } = context;
  if (!(provider.algorithms as readonly string[]).includes(header.alg)) return refuse('algorithm_refused');
  if (keys === undefined) return refuse('provider_unavailable');
  const signer: Result<Key> = await verifySignature(jws, header, keys, context, (found) => found);
  if (!signer.ok) return signer;
  const claims = parseClaims(jws.payload);
  if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
  if (!isKeyOfIssuer(signer.value, claims)) return refuse('key_unknown', 'the key that signed it is of another issuer');
  const refused =
    checkType(header, claims) ??
    checkParties(claims, context) ??
    checkAges(claims, now, skew) ??
    (await more(claims, header.alg));
  return refused ?? ok(claims);
}

/**
 * Verifies the ID token of a sign-in (OpenID Connect Core section 3.1.3.7): signature by one of the provider's keys with
 * an algorithm that the policy allows, issuer, audience, times, nonce, and that what was asked of the sign-in was done.
 *
 * @param now seconds since the epoch
 * @returns the claims, or the first reason that applies: among them `step_up_required` where the provider signed somebody
 * in, but not as asked; `provider_unavailable` without keys
 * @throws where no nonce was expected: each sign-in has one
 */
export async function verifyIdToken(
  text: string,
  expected: Expected,
  context: IdTokenContext,
  now: number,
): Promise<Result<Claims>> {
  const { nonce, accessToken } = expected;
  if (typeof nonce !== 'string' || nonce === '') throw new Error('an ID token is checked without a nonce');
  return verified(text, context, now, async (claims, alg) => {
    const isOurs = typeof claims.nonce === 'string' && sameText(claims.nonce, nonce);
    if (!isOurs) return refuse('claim_absent', 'its "nonce" is not that of this sign-in');
    return (await checkAccessToken(claims, alg, accessToken)) ?? checkAsked(claims, expected, now, context.skew);
  });
}

/**
 * Verifies an ID token that came with a refreshed access token (section 12.2): it has no nonce of a sign-in, but must be
 * of the same person.
 *
 * @param subject `sub` of the session's own ID token
 */
export async function verifyRefreshedIdToken(
  text: string,
  { subject, accessToken }: { readonly subject: string; readonly accessToken?: string },
  context: IdTokenContext,
  now: number,
): Promise<Result<Claims>> {
  return verified(text, context, now, async (claims, alg) =>
    claims.sub === subject
      ? checkAccessToken(claims, alg, accessToken)
      : refuse('audience_mismatch', 'it is of another person'),
  );
}
