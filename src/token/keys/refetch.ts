import type { Refusal } from '../../base/reasons.ts';
import { parseClaims, parseHeader, splitJws } from '../format.ts';
import { tokenProvider } from '../issuer.ts';
import type { TokenProvider } from '../types.ts';

/** Returns the provider whose keys must be fetched before a refusal is final, if newer keys could change the result: no
 * key matched, no keys are known, or a token without `kid` may have been signed with a new key. */
export function providerToAsk(token: string, { reason }: Refusal, providers: readonly TokenProvider[]) {
  if (reason !== 'key_unknown' && reason !== 'provider_unavailable' && reason !== 'signature_invalid') return undefined;
  const jws = splitJws(token);
  if (!jws.ok) return undefined;
  if (reason === 'signature_invalid') {
    const header = parseHeader(jws.header);
    if (!header.ok || header.value.kid !== undefined) return undefined;
  }
  if (providers.length === 1) return providers[0];
  const claims = parseClaims(jws.payload);
  return claims && tokenProvider(claims, providers);
}
