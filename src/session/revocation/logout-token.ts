import { type Refused, type Result, refuse } from '../../base/reasons.ts';
import { type JoseHeader, parseClaims, splitJws } from '../../token/format.ts';
import { asObject } from '../../token/json.ts';
import { checkTimes } from '../../token/times.ts';
import type { Claims } from '../../token/types.ts';
import { MAX_LOGOUT_TOKEN_LIFE_S } from '../limits.ts';
import {
  checkAudience,
  checkIssuer,
  checkTypes,
  type ProviderTokenContext,
  verifyProviderToken,
} from '../provider-token.ts';

/** The member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

const KIND = {
  name: 'a logout token',
  types: ['logout+jwt', 'application/logout+jwt', 'jwt', 'application/jwt'],
  own: 'logout',
};

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 1024;

/** Rejects a token that is not marked as a logout token, or that could be an ID token. */
function checkEvent({ events, nonce }: Claims): Refused {
  if (asObject(asObject(events)?.[EVENT]) === undefined) {
    return refuse('type_refused', 'its "events" do not name a sign-out');
  }
  return nonce === undefined ? undefined : refuse('type_refused', 'it has a "nonce", so it is an ID token');
}

/** Checks that the token names a subject or a session, an id and its times. */
function checkContent({ sub, sid, jti, iat, exp }: Claims): Refused {
  if (typeof iat !== 'number') return refuse('claim_absent', 'it has no "iat"');
  if ((exp as number) - iat > MAX_LOGOUT_TOKEN_LIFE_S) {
    return refuse('claim_absent', `it is valid for more than ${MAX_LOGOUT_TOKEN_LIFE_S} s`);
  }
  if (!isText(jti)) return refuse('claim_absent', 'it has no "jti"');
  if (sub === undefined && sid === undefined) return refuse('claim_absent', 'it has neither "sub" nor "sid"');
  const wrong = [sub, sid].find((value) => value !== undefined && !isText(value));
  return wrong === undefined ? undefined : refuse('claim_absent', '"sub" or "sid" is not a text');
}

/** Returns the issuer of a logout token, which selects the provider to verify it; `undefined` if the text is no JWT. */
export function issuerOf(text: string): unknown {
  const jws = splitJws(text);
  return jws.ok ? parseClaims(jws.payload)?.iss : undefined;
}

/** Verifies a logout token (section 2.6). It does not check whether the token was received before: that check is
 * optional, and a repeated token only revokes the same again.
 * @param now seconds since the epoch
 * @returns the claims, which include `iat`, `exp`, `jti`, and at least one of `sub` and `sid` */
export function verifyLogoutToken(text: string, context: ProviderTokenContext, now: number): Promise<Result<Claims>> {
  const check = (claims: Claims, header: JoseHeader) =>
    checkTypes(header, claims, KIND) ??
    checkEvent(claims) ??
    checkIssuer(claims, context) ??
    checkAudience(claims, context) ??
    checkTimes(claims, now, context.skew) ??
    checkContent(claims);
  return verifyProviderToken(text, context, check);
}
