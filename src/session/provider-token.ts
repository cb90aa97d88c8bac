import { ok, type Refused, type Result, refuse } from '../base/reasons.ts';
import { quoted, quotedList } from '../token/detail.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from '../token/format.ts';
import { isIssuer, isKeyOfIssuer } from '../token/issuer.ts';
import { type SignatureContext, verifySignature } from '../token/signature.ts';
import type { Claims, ProviderKey, TokenProvider } from '../token/types.ts';

/** What is needed to verify ID tokens and logout tokens. A provider signs these for the gateway as its OAuth client. */
export interface ProviderTokenContext extends SignatureContext {
  readonly provider: Pick<TokenProvider, 'issuer' | 'issuers' | 'algorithms'>;
  readonly clientId: string;
  /** The provider's current keys; `undefined` if there are none yet, or only ones that are too old. */
  readonly keys: readonly ProviderKey[] | undefined;
  readonly skew: number;
}

/** A kind of tokens that a provider signs for the gateway. */
interface TokenKind {
  /** The name with its article, for the refusal. */
  readonly name: string;
  /** The types that the header may have, in lower case (RFC 8725 section 3.11). */
  readonly types: readonly string[];
  /** The type that Keycloak writes in the payload, in lower case. */
  readonly own: string;
}

/** Rejects a token of another kind, by the types in its header and its payload. Both types may be missing. */
export function checkTypes(header: JoseHeader, claims: Claims, { name, types, own }: TokenKind) {
  const typ = header.typ?.toLowerCase();
  if (typ !== undefined && !types.includes(typ)) {
    return refuse('type_refused', `it has the type ${quoted(header.typ)}, which is not that of ${name}`);
  }
  if (typeof claims.typ !== 'string' || claims.typ.toLowerCase() === own) return undefined;
  return refuse('type_refused', `it is of the type ${quoted(claims.typ)}, which is not that of ${name}`);
}

export function checkIssuer({ iss }: Claims, { provider }: ProviderTokenContext): Refused {
  return isIssuer(provider, iss) ? undefined : refuse('issuer_unknown', `its issuer is ${quoted(iss)}`);
}

export const audiencesOf = ({ aud }: Claims): readonly unknown[] => (Array.isArray(aud) ? aud : [aud]);

export function checkAudience(claims: Claims, { clientId }: ProviderTokenContext): Refused {
  const audiences = audiencesOf(claims);
  return audiences.includes(clientId) ? undefined : refuse('audience_mismatch', `it is for ${quotedList(audiences)}`);
}

/** Verifies format, algorithm, key and signature of a token that a provider signed for the gateway.
 * @param check checks the claims
 * @returns the claims, or the first reason that applies; `provider_unavailable` if there are no keys */
export async function verifyProviderToken(
  text: string,
  context: ProviderTokenContext,
  check: (claims: Claims, header: JoseHeader) => Refused | Promise<Refused>,
): Promise<Result<Claims>> {
  const jws = splitJws(text);
  if (!jws.ok) return jws;
  const parsed = parseHeader(jws.header);
  if (!parsed.ok) return parsed;
  const header = parsed.value;
  const { provider, keys } = context;
  if (!(provider.algorithms as readonly string[]).includes(header.alg)) return refuse('algorithm_refused');
  if (keys === undefined) return refuse('provider_unavailable');
  const signer: Result<ProviderKey> = await verifySignature(jws, header, keys, context, (found) => found);
  if (!signer.ok) return signer;
  const claims = parseClaims(jws.payload);
  if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
  if (!isKeyOfIssuer(signer.value, claims)) return refuse('key_unknown', 'the key that signed it is of another issuer');
  return (await check(claims, header)) ?? ok(claims);
}
