import { ok, type Result, refuse } from '../base/reasons.ts';
import { issuerHelp } from '../providers/index.ts';
import { withBinding } from './binding.ts';
import { checkClaims, checkNonce } from './claims.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from './format.ts';
import { isKeyOfIssuer, tokenProvider } from './issuer.ts';
import { type SignatureContext, verifySignatureWith } from './signature.ts';
import type { Claims, ProviderKey, TokenProvider, Verified } from './types.ts';

export interface VerifyContext extends SignatureContext {
  /** Returns the provider's current keys; `undefined` if there are none yet, or all are too old. */
  readonly keysOf: (provider: TokenProvider, now: number) => readonly ProviderKey[] | undefined;
  readonly skew: number;
}

/** Returns the provider for a payload without claims, if there is only one. The signature then decides the reason. */
const onlyOf = (providers: readonly TokenProvider[]): TokenProvider | undefined =>
  providers.length === 1 ? providers[0] : undefined;

/** A token whose signature is being verified, and the function that receives the result. */
type Read<T, S> = readonly [
  header: JoseHeader,
  claims: Claims | undefined,
  provider: TokenProvider,
  now: number,
  skew: number,
  use: (verified: Result<Verified>, along: S) => T | Promise<T>,
  along: S,
];

const otherKey = refuse('key_unknown', 'the key that signed the token belongs to another issuer');

/** Returns why a signature is invalid: perhaps only the service for which the token was made can verify it. */
function ofOthers(
  refused: Result<ProviderKey>,
  header: JoseHeader,
  provider: TokenProvider,
): ReturnType<typeof refuse> {
  if (header.nonce === undefined) return refused as ReturnType<typeof refuse>;
  return checkNonce(header, provider) ?? (refused as ReturnType<typeof refuse>);
}

/** Checks the claims of a token whose signature is valid. */
function verifyWith<T, S>(signer: Result<ProviderKey>, read: Read<T, S>): T | Promise<T> {
  const use = read[5];
  const along = read[6];
  if (!signer.ok) return use(ofOthers(signer, read[0], read[2]), along);
  const claims = read[1];
  if (claims === undefined) return use(refuse('token_malformed', 'the payload is not a claims set'), along);
  const provider = read[2];
  const key = signer.value;
  if (key.issuer !== undefined && !isKeyOfIssuer(key, claims)) return use(otherKey, along);
  const refused = checkClaims(read[0], claims, provider, read[3], read[4]);
  if (refused !== undefined) return use(refused, along);
  const verified = { provider: provider.name, claims, expires: claims.exp as number, key: key.thumbprint };
  return use(claims.cnf === undefined ? ok(verified) : withBinding(verified), along);
}

/** Verifies a bearer token. It checks, in this order: format, header, provider, algorithm, key, signature, claims (RFC
 * 7515 section 5.2, RFC 7519 section 7.2, RFC 8725). It never throws, whatever the text is.
 * @param use receives the claims with their provider, or the first reason that applies. The detail says what was
 * expected only if the signature is valid. The result of `use` is returned, see {@link verifySignature}. */
export function verifyToken<T, S>(
  text: string,
  providers: readonly TokenProvider[],
  now: number,
  context: VerifyContext,
  use: (verified: Result<Verified>, along: S) => T | Promise<T>,
  along: S,
): T | Promise<T> {
  const jws = splitJws(text);
  if (!jws.ok) return use(jws, along);
  const parsed = parseHeader(jws.header);
  if (!parsed.ok) return use(parsed, along);
  const header = parsed.value;
  const claims = parseClaims(jws.payload);
  const provider = claims === undefined ? onlyOf(providers) : tokenProvider(claims, providers);
  if (provider === undefined) {
    const refused = claims === undefined ? refuse('token_malformed') : refuse('issuer_unknown', issuerHelp(claims));
    return use(refused, along);
  }
  if (!(provider.algorithms as readonly string[]).includes(header.alg)) return use(refuse('algorithm_refused'), along);
  const keys = context.keysOf(provider, now);
  if (keys === undefined) return use(refuse('provider_unavailable'), along);
  const read: Read<T, S> = [header, claims, provider, now, context.skew, use, along];
  return verifySignatureWith(jws, header, keys, context, verifyWith<T, S>, read);
}
