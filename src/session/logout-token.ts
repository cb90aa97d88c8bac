import { MAX_LOGOUT_TOKEN_LIFE_S } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { listed, shown } from '../token/detail.ts';
import { parseClaims, parseHeader, splitJws } from '../token/format.ts';
import { isIssuer, isKeyOfIssuer } from '../token/issuer.ts';
import { asObject } from '../token/json.ts';
import { verifySignature } from '../token/signature.ts';
import { checkTimes } from '../token/times.ts';
import type { Claims, Key } from '../token/types.ts';
import type { IdTokenContext } from './flow/id-token.ts';

/** The member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

type Refused = ReturnType<typeof refuse> | undefined;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 1024;

/** An ID token says nothing of its type, an access token `at+jwt`; a payload's `typ` is Keycloak's. */
function checkType(typ: string | undefined, claims: Claims): Refused {
  const type = typ?.toLowerCase();
  if (type !== undefined && !['logout+jwt', 'application/logout+jwt', 'jwt', 'application/jwt'].includes(type)) {
    return refuse('type_refused', `it has the type ${shown(typ)} and is no logout token`);
  }
  if (typeof claims.typ === 'string' && claims.typ.toLowerCase() !== 'logout') {
    return refuse('type_refused', `it is of the type ${shown(claims.typ)} and is no logout token`);
  }
  if (asObject(asObject(claims.events)?.[EVENT]) === undefined) {
    return refuse('type_refused', 'its "events" do not have the sign-out');
  }
  return claims.nonce === undefined ? undefined : refuse('type_refused', 'it has a "nonce", as ID tokens have');
}

function checkParties({ iss, aud }: Claims, { provider, clientId }: IdTokenContext): Refused {
  if (!isIssuer(provider, iss)) return refuse('issuer_unknown', `its issuer is ${shown(iss)}`);
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return audiences.includes(clientId) ? undefined : refuse('audience_mismatch', `it is for ${listed(audiences)}`);
}

/** Who and what is signed out, and what makes it one of a kind. */
function checkContent({ sub, sid, jti, iat, exp }: Claims): Refused {
  if (typeof iat !== 'number') return refuse('claim_absent', 'it has no "iat"');
  if ((exp as number) - iat > MAX_LOGOUT_TOKEN_LIFE_S) {
    return refuse('claim_absent', `it is good for more than ${MAX_LOGOUT_TOKEN_LIFE_S} s`);
  }
  if (!isText(jti)) return refuse('claim_absent', 'it has no "jti"');
  if (sub === undefined && sid === undefined) return refuse('claim_absent', 'it has neither "sub" nor "sid"');
  const wrong = [sub, sid].find((value) => value !== undefined && !isText(value));
  return wrong === undefined ? undefined : refuse('claim_absent', '"sub" or "sid" is no text');
}

/**
 * The issuer that a logout token names, unverified: it chooses the provider that the token is then verified by.
 *
 * @returns `undefined` for what is no JWT
 */
export function issuerOf(text: string): unknown {
  const jws = splitJws(text);
  return jws.ok ? parseClaims(jws.payload)?.iss : undefined;
}

/**
 * Verifies a logout token (section 2.6). To look whether it came before is optional there, and not done: a token that
 * comes again revokes the same again.
 *
 * @param now seconds since the epoch
 * @returns the claims: `iat`, `exp`, `jti`, and of `sub` and `sid` at least one
 */
export async function verifyLogoutToken(text: string, context: IdTokenContext, now: number): Promise<Result<Claims>> {
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
    checkType(header.typ, claims) ??
    checkParties(claims, context) ??
    checkTimes(claims, now, skew) ??
    checkContent(claims);
  return refused ?? ok(claims);
}
