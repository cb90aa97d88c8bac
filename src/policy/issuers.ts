import { fillTenant, type ProviderKindName, providerKinds } from '../providers/index.ts';
import type { Provider } from './types.ts';

/** The keys of a provider that say which issuers it has. */
interface RawIssuing {
  readonly issuer: string;
  readonly tenants?: readonly string[] | undefined;
  readonly trust_domain?: string | undefined;
}

/** The issuers of a provider, if `iss` has several forms or may be absent. */
export function issuersOf(
  kind: ProviderKindName,
  { issuer, tenants, trust_domain }: RawIssuing,
): Pick<Provider, 'issuers' | 'trustDomain'> {
  const { spellings, name }: { readonly spellings?: readonly string[]; readonly name: string } = providerKinds[kind];
  if (name === 'spiffe') return { trustDomain: trust_domain ?? issuer.replace('spiffe://', '') };
  if (tenants) return { issuers: tenants.map((tenant) => fillTenant(issuer, tenant)) };
  return spellings?.includes(issuer) ? { issuers: spellings } : {};
}
