import { isOfTrustDomain } from '../policy/forms/spiffe-id.ts';
import { fillTenant, TENANT, tenantOf } from '../providers/index.ts';
import type { Claims, ProviderKey, TokenProvider } from './types.ts';

/** The issuer of a provider, and its other spellings. */
export type Issued = Pick<TokenProvider, 'issuer' | 'issuers'>;

/** Whether `iss` is the issuer of a provider. */
export function isIssuer({ issuer, issuers }: Issued, iss: unknown): boolean {
  return issuers === undefined ? issuer === iss : issuers.includes(iss as string);
}

/** Finds the provider of a JWT-SVID without `iss`, by the trust domain in its subject. */
function ofTrustDomain(sub: unknown, providers: readonly TokenProvider[]): TokenProvider | undefined {
  return providers.find(({ trustDomain }) => trustDomain !== undefined && isOfTrustDomain(sub, trustDomain));
}

/** Whether two providers accept tokens of the same issuer. They then differ in their audiences. */
export function acceptSameIssuer(one: Issued, other: Issued): boolean {
  const { issuers = [one.issuer] } = one;
  return issuers.some((issuer) => isIssuer(other, issuer));
}

/** Returns the provider of a token, by its `iss` or, if it has none, by the trust domain in its subject. */
export function tokenProvider(claims: Claims, providers: readonly TokenProvider[]): TokenProvider | undefined {
  // Safe without Object.hasOwn: Object.prototype has no `iss`, and a claim that was read from JSON is never undefined.
  const { iss } = claims;
  for (let i = 0; i < providers.length; i++) {
    const provider = providers[i] as TokenProvider;
    if (provider.issuers === undefined ? provider.issuer === iss : provider.issuers.includes(iss as string))
      return provider;
  }
  return iss === undefined ? ofTrustDomain(claims.sub, providers) : undefined;
}

/** Whether a key may sign tokens of an issuer. Entra ID publishes the keys of all issuers together, each with its
 * issuer or a template of issuers. The tenant of the token must match its issuer too. */
export function isKeyOfIssuer({ issuer }: Pick<ProviderKey, 'issuer'>, { iss, tid }: Claims): boolean {
  if (issuer === undefined) return true;
  const tenant = tenantOf(iss);
  if (tenant === undefined || tenant !== tid) return false;
  return tenantOf(issuer.includes(TENANT) ? fillTenant(issuer, tenant) : issuer) === tenant;
}
