import { ok, type Refused, type Result, refuse } from '../base/reasons.ts';
import { actorChain } from '../token/act.ts';
import { quoted } from '../token/detail.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from '../token/format.ts';
import { isText } from '../token/json.ts';
import { type SignatureContext, verifySignature } from '../token/signature.ts';
import { checkTimes } from '../token/times.ts';
import type { Claims, ProviderKey } from '../token/types.ts';
import { ALONE, ASSERTION_TYPE, CERTIFICATE_HOST } from './claims.ts';

export interface Asserted {
  /** The service for which the assertion was made. */
  readonly audience: string;
  readonly provider: string;
  readonly subject: string;
  readonly roles: readonly string[];
  readonly email?: string;
  readonly name?: string;
  /** The actor chain, the last actor first: SPIFFE ids of services, or names at the provider. */
  readonly actors: readonly string[];
  /** Whether the last actor acts for no person. */
  readonly alone?: true;
  /** The host that verified the certificate on which the subject or a role depends. */
  readonly certificateHost?: string;
  /** `exp`, seconds since the epoch. */
  readonly expires: number;
  /** `iat`, seconds since the epoch; 0 if it has none. */
  readonly issuedAt: number;
  /** RFC 7638 thumbprint of the key that signed it. */
  readonly key: string;
}

export interface AssertionContext extends SignatureContext {
  readonly issuer: string;
  readonly skew: number;
}

const wrong = (name: string) => refuse('claim_absent', `"${name}" of the assertion is missing or has another form`);

function checkType({ typ }: JoseHeader): Refused {
  if (typ === ASSERTION_TYPE) return undefined;
  return refuse('type_refused', `the token has the type ${quoted(typ)}; send the assertion as it was received`);
}

function checkClaims(claims: Claims, { thumbprint }: ProviderKey, now: number, skew: number): Result<Asserted> {
  const untimely = checkTimes(claims, now, skew);
  if (untimely !== undefined) return untimely;
  const { aud, exp, iat, provider, sub, roles, email, name } = claims;
  if (!isText(aud)) return wrong('aud');
  if (!isText(provider)) return wrong('provider');
  if (!isText(sub)) return wrong('sub');
  if (!Array.isArray(roles) || !roles.every(isText)) return wrong('roles');
  const certificateHost = claims[CERTIFICATE_HOST];
  if (certificateHost !== undefined && !isText(certificateHost)) return wrong(CERTIFICATE_HOST);
  const actors = actorChain(claims.act);
  if (actors === undefined) return wrong('act');
  return ok({
    audience: aud,
    provider,
    subject: sub,
    roles,
    ...(isText(email) && { email }),
    ...(isText(name) && { name }),
    actors: actors.map((actor) => actor.sub),
    ...(claims[ALONE] !== undefined && { alone: true as const }),
    ...(certificateHost !== undefined && { certificateHost }),
    expires: exp as number,
    issuedAt: typeof iat === 'number' ? iat : 0,
    key: thumbprint,
  });
}

/** Verifies an assertion that the gateway signed: format, header, issuer, algorithm, key, signature, type, times,
 * claims, in this order. {@link agentCaller} checks the audience. It never throws, whatever the text is.
 * @param keys the gateway's own public keys
 * @returns the content, or the first reason that applies. The detail says what was expected only if the signature is
 * valid. */
export function verifyAssertion(
  text: string,
  keys: readonly ProviderKey[],
  now: number,
  context: AssertionContext,
): Result<Asserted> | Promise<Result<Asserted>> {
  const split = splitJws(text);
  if (!split.ok) return split;
  const parsed = parseHeader(split.header);
  if (!parsed.ok) return parsed;
  const header = parsed.value;
  const claims = parseClaims(split.payload);
  if (claims?.iss !== context.issuer) return refuse('issuer_unknown', 'the assertion is from another gateway');
  if (header.alg !== 'ES256') return refuse('algorithm_refused', 'the gateway signs its assertions with ES256');
  return verifySignature<Result<Asserted>>(split, header, keys, context, (signer) =>
    signer.ok ? (checkType(header) ?? checkClaims(claims, signer.value, now, context.skew)) : signer,
  );
}
