import type { Watched } from '../health/types.ts';
import type { Identity, Policy } from '../policy/types.ts';

/**
 * All that health has to know of a policy.
 *
 * @param identities those that some rule yields
 * @param check unix socket of the check's server
 */
export function toWatched(policy: Policy, identities: readonly Identity[], check: string): Watched {
  return {
    check,
    providers: Object.values(policy.providers).map(({ name, issuer }) => ({ name, issuer })),
    stale: policy.gateway.keys.stale,
    assertion: policy.gateway.assertion !== undefined,
    ...(identities.length > 0 && policy.mesh && { ca: policy.mesh.ingress.caFile }),
    ...(policy.gateway.inner && { clientCa: policy.gateway.inner.clientCaFile }),
    identities: identities.map(({ name, spiffe, certFile, keyFile }) => ({ name, spiffe, certFile, keyFile })),
  };
}
