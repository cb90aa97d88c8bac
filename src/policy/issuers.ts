import { fillTenant, type ProviderKindName, providerKinds } from '../providers/index.ts';
import type { Provider } from './types.ts';

/** What a provider's section says of whose tokens it takes. */
interface RawIssuing {
  readonly issuer: string;
  readonly tenants?: readonly string[] | undefined;
  readonly trust_domain?: string | undefined;
}

/** Whose tokens a provider takes, if `iss` has several forms or may be absent. */
export function issuersOf(
  kind: ProviderKindName,
  { issuer, tenants, trust_domain }: RawIssuing,
): Pick<Provider, 'issuers' | 'trustDomain'> {
  const { spellings, name }: { readonly spellings?: readonly string[]; readonly name: string } = providerKinds[kind];
  if (name === 'spiffe') return { trustDomain: trust_domain ?? issuer.replace('spiffe://', '') };
  if (tenants) return { issuers: tenants.map((tenant) => fillTenant(issuer, tenant)) };
  return spellings?.includes(issuer) ? { issuers: spellings } : {};
}
