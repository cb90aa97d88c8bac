import type { Refusal } from '../reasons.ts';
import { parseClaims, parseHeader, splitJws } from './format.ts';
import { providerOf } from './issuer.ts';
import type { TokenProvider } from './types.ts';

/**
 * The provider whose keys are worth fetching out of turn before a refusal is final: its keys did not fit, or are not
 * there. A token without `kid` that no key has signed may be signed by a new one as well.
 *
 * @param token the refused token
 * @param providers those that the host accepts
 * @returns undefined where other keys would change nothing
 */
export function providerToAsk(
  token: string,
  { reason }: Refusal,
  providers: readonly TokenProvider[],
): TokenProvider | undefined {
  if (reason !== 'key_unknown' && reason !== 'provider_unavailable' && reason !== 'signature_invalid') return undefined;
  const jws = splitJws(token);
  if (!jws.ok) return undefined;
  if (reason === 'signature_invalid') {
    const header = parseHeader(jws.header);
    if (!header.ok || header.value.kid !== undefined) return undefined;
  }
  if (providers.length === 1) return providers[0];
  const claims = parseClaims(jws.payload);
  return claims && providerOf(claims, providers);
}
