import { isOfTrustDomain } from '../policy/spiffe.ts';
import { fillTenant, TENANT, tenantOf } from '../providers/index.ts';
import type { Claims, Key, TokenProvider } from './types.ts';

/** Whose issuer is compared: exactly, or with one of the spellings that it has. */
export type Issued = Pick<TokenProvider, 'issuer' | 'issuers'>;

/** Whether `iss` is the provider's. */
export function isIssuer({ issuer, issuers }: Issued, iss: unknown): boolean {
  return issuers === undefined ? issuer === iss : issuers.includes(iss as string);
}

/** A JWT-SVID may have no `iss`: the trust domain in its subject stands in. */
function ofTrustDomain(sub: unknown, providers: readonly TokenProvider[]): TokenProvider | undefined {
  return providers.find(({ trustDomain }) => trustDomain !== undefined && isOfTrustDomain(sub, trustDomain));
}

/** Whether two providers take tokens of one issuer, for other audiences. */
export function shareIssuer(one: Issued, other: Issued): boolean {
  const { issuers = [one.issuer] } = one;
  return issuers.some((issuer) => isIssuer(other, issuer));
}

/** The provider, of these, that a token names by its `iss`, or where that is absent by its subject's trust domain. */
export function providerOf(claims: Claims, providers: readonly TokenProvider[]): TokenProvider | undefined {
  // No member of Object.prototype, and JSON has no undefined.
  const { iss } = claims;
  for (let i = 0; i < providers.length; i++) {
    const provider = providers[i] as TokenProvider;
    if (provider.issuers === undefined ? provider.issuer === iss : provider.issuers.includes(iss as string))
      return provider;
  }
  return iss === undefined ? ofTrustDomain(claims.sub, providers) : undefined;
}

/**
 * Whether a key may sign for a token's issuer, where it says whose it is: keys of Entra ID are published together, each
 * with the issuer, or the template of those, that it belongs to. The token's tenant has to be its issuer's as well.
 */
export function isKeyOfIssuer({ issuer }: Pick<Key, 'issuer'>, { iss, tid }: Claims): boolean {
  if (issuer === undefined) return true;
  const tenant = tenantOf(iss);
  if (tenant === undefined || tenant !== tid) return false;
  return tenantOf(issuer.includes(TENANT) ? fillTenant(issuer, tenant) : issuer) === tenant;
}
