import type { Refusal } from '../reasons.ts';
import { parseClaims, parseHeader, splitJws } from './format.ts';
import { providerOf } from './issuer.ts';
import type { TokenProvider } from './types.ts';

/** The provider whose keys should be fetched early before a refusal is final: no key matched, or the keys are not
 * known. A token without `kid` whose signature no key verifies may have been signed by a new key, too.
 *
 * @param token the refused token
 * @param providers those that the host accepts
 * @returns undefined if other keys would change nothing
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
