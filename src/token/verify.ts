import { ok, type Result, refuse } from '../reasons.ts';
import { checkClaims } from './claims.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from './format.ts';
import { type SignatureContext, verifySignature } from './signature.ts';
import type { Claims, Key, TokenProvider, Verified } from './types.ts';

/** What the tokens of all hosts are checked against. */
export interface VerifyContext extends SignatureContext {
  /** The provider's keys as they are now; `undefined` if it has none yet, or only ones that are too old. */
  readonly keysOf: (provider: TokenProvider, now: number) => readonly Key[] | undefined;
  /** Seconds by which clocks may differ. */
  readonly skew: number;
}

/**
 * The provider that the token names by its exact `iss`. A payload that is no claims set names none; where only one
 * provider comes into question its signature is checked all the same, so that the refusal can say what is wrong.
 */
function providerOf(claims: Claims | undefined, providers: readonly TokenProvider[]): Result<TokenProvider> {
  if (claims === undefined) {
    return providers.length === 1 ? ok(providers[0] as TokenProvider) : refuse('token_malformed');
  }
  const issuer = Object.hasOwn(claims, 'iss') ? claims.iss : undefined;
  for (let i = 0; i < providers.length; i++) {
    const provider = providers[i] as TokenProvider;
    if (provider.issuer === issuer) return ok(provider);
  }
  return refuse('issuer_unknown');
}

/** What is said of a token whose signature holds. */
function judge(
  header: JoseHeader,
  claims: Claims | undefined,
  provider: TokenProvider,
  key: Key,
  now: number,
  skew: number,
): Result<Verified> {
  if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
  const refused = checkClaims(header, claims, provider, now, skew);
  if (refused !== undefined) return refused;
  return ok({ provider: provider.name, claims, expires: claims.exp as number, key: key.thumbprint });
}

/**
 * Verifies a bearer token: format, header, provider, algorithm, key, signature, claims, in this order
 * (RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725). Never throws for any text.
 *
 * @param providers those that the host accepts
 * @param now seconds since the epoch
 * @param use is given the claims with their provider, or the first reason that applies; a detail that tells what was
 * expected is given only after the signature held. What it returns is returned, see {@link verifySignature}.
 */
export function verifyToken<T>(
  text: string,
  providers: readonly TokenProvider[],
  now: number,
  context: VerifyContext,
  use: (verified: Result<Verified>) => T | Promise<T>,
): T | Promise<T> {
  const split = splitJws(text);
  if (!split.ok) return use(split);
  const jws = split.value;
  const parsed = parseHeader(jws.header);
  if (!parsed.ok) return use(parsed);
  const header = parsed.value;
  const claims = parseClaims(jws.payload);
  const found = providerOf(claims, providers);
  if (!found.ok) return use(found);
  const provider = found.value;
  if (!(provider.algorithms as readonly string[]).includes(header.alg)) return use(refuse('algorithm_refused'));
  const keys = context.keysOf(provider, now);
  if (keys === undefined) return use(refuse('provider_unavailable'));
  return verifySignature(jws, header, keys, context, (signer) =>
    use(signer.ok ? judge(header, claims, provider, signer.value, now, context.skew) : signer),
  );
}
