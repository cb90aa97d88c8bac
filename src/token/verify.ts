import { ok, type Result, refuse } from '../reasons.ts';
import { checkClaims } from './claims.ts';
import { parseClaims, parseHeader, splitJws } from './format.ts';
import type { ImportedKeys } from './import.ts';
import { verifySignature } from './signature.ts';
import type { Claims, Key, TokenProvider, Verified } from './types.ts';

/** What a token is checked against. */
export interface VerifyContext {
  /** The providers that the host accepts. */
  readonly providers: readonly TokenProvider[];
  /** The provider's keys as they are now; `undefined` if it has none yet, or only ones that are too old. */
  readonly keysOf: (provider: TokenProvider) => readonly Key[] | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Seconds by which clocks may differ. */
  readonly skew: number;
  /** Imported keys, kept by the caller between tokens. */
  readonly imported: ImportedKeys;
  /** What the engine needs after a signature that did not hold. */
  readonly onFailure?: () => Promise<void>;
}

/**
 * The provider that the token names by its exact `iss`. A payload that is no claims set names none; where only one
 * provider comes into question its signature is checked all the same, so that the refusal can say what is wrong.
 */
function providerOf(claims: Claims | undefined, providers: readonly TokenProvider[]): Result<TokenProvider> {
  if (claims === undefined) {
    return providers.length === 1 ? ok(providers[0] as TokenProvider) : refuse('token_malformed');
  }
  const provider = providers.find(({ issuer }) => Object.hasOwn(claims, 'iss') && claims.iss === issuer);
  return provider === undefined ? refuse('issuer_unknown') : ok(provider);
}

/**
 * Verifies a bearer token: format, header, provider, algorithm, key, signature, claims, in this order
 * (RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725). Never throws for any text.
 *
 * @returns the claims with their provider; else the first reason that applies. A detail that tells what was expected
 * is given only after the signature held.
 */
export async function verifyToken(text: string, context: VerifyContext): Promise<Result<Verified>> {
  const split = splitJws(text);
  if (!split.ok) return split;
  const jws = split.value;
  const header = parseHeader(jws.header);
  if (!header.ok) return header;
  const claims = parseClaims(jws.payload);
  const found = providerOf(claims, context.providers);
  if (!found.ok) return found;
  const provider = found.value;
  if (!(provider.algorithms as readonly string[]).includes(header.value.alg)) return refuse('algorithm_refused');
  const keys = context.keysOf(provider);
  if (keys === undefined) return refuse('provider_unavailable');
  const key = await verifySignature(jws, header.value, keys, context.imported, context.onFailure);
  if (!key.ok) return key;
  if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
  const expires = checkClaims(header.value, claims, provider, context.now, context.skew);
  if (!expires.ok) return expires;
  return ok({ provider: provider.name, claims, expires: expires.value, key: key.value.thumbprint });
}
