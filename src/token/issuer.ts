import { isOfTrustDomain } from '../policy/spiffe.ts';
import { fillTenant, TENANT, tenantOf } from '../providers/index.ts';
import type { Claims, Key, TokenProvider } from './types.ts';

/** The issuer of a provider, with its other spellings. */
export type Issued = Pick<TokenProvider, 'issuer' | 'issuers'>;

/** Whether `iss` is the provider's issuer. */
export function isIssuer({ issuer, issuers }: Issued, iss: unknown): boolean {
  return issuers === undefined ? issuer === iss : issuers.includes(iss as string);
}

/** A JWT-SVID may have no `iss`. Then the trust domain in its subject identifies the provider. */
function ofTrustDomain(sub: unknown, providers: readonly TokenProvider[]): TokenProvider | undefined {
  return providers.find(({ trustDomain }) => trustDomain !== undefined && isOfTrustDomain(sub, trustDomain));
}

/** Whether two providers accept tokens of one issuer, for different audiences. */
export function shareIssuer(one: Issued, other: Issued): boolean {
  const { issuers = [one.issuer] } = one;
  return issuers.some((issuer) => isIssuer(other, issuer));
}

/** The provider that a token names by its `iss`, or if that is absent by the trust domain of its subject. */
export function providerOf(claims: Claims, providers: readonly TokenProvider[]): TokenProvider | undefined {
  // It is no member of Object.prototype, and JSON has no undefined.
  const { iss } = claims;
  for (let i = 0; i < providers.length; i++) {
    const provider = providers[i] as TokenProvider;
    if (provider.issuers === undefined ? provider.issuer === iss : provider.issuers.includes(iss as string))
      return provider;
  }
  return iss === undefined ? ofTrustDomain(claims.sub, providers) : undefined;
}

/** Whether a key may sign for a token's issuer. Keys of Entra ID are published together, each with its issuer or the
 * template of its issuers. The token's tenant must match its issuer as well. */
export function isKeyOfIssuer({ issuer }: Pick<Key, 'issuer'>, { iss, tid }: Claims): boolean {
  if (issuer === undefined) return true;
  const tenant = tenantOf(iss);
  if (tenant === undefined || tenant !== tid) return false;
  return tenantOf(issuer.includes(TENANT) ? fillTenant(issuer, tenant) : issuer) === tenant;
}
