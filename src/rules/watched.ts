import type { Watched } from '../health/types.ts';
import type { Identity, Mesh, Policy } from '../policy/types.ts';
import { isKeyless } from './table.ts';

const caFiles = ({ ingress, ingresses }: Mesh): readonly string[] => {
  const all = Object.values(ingresses);
  return [...new Set((all.length > 1 ? all : [ingress]).map(({ caFile }) => caFile))];
};

/** The files of the CAs for certificates at the inner listener, and for client certificates. */
const clientCaFiles = ({ gateway, hosts }: Policy): readonly string[] => [
  ...new Set([gateway.inner, ...hosts].flatMap((it) => it?.clientCaFile ?? [])),
];

/** A policy, its digest, and the identities that a rule uses. */
interface Seen {
  readonly policy: Policy;
  readonly digest: string;
  readonly identities: readonly Identity[];
}

/** Returns the part of a policy that the health check needs.
 * @param check the unix socket of the check's server */
export function toWatched({ policy, digest, identities }: Seen, check: string): Watched {
  const clientCa = clientCaFiles(policy);
  return {
    policy: digest,
    check,
    providers: Object.values(policy.providers)
      .filter((provider) => !isKeyless(provider))
      .map(({ name, issuer }) => ({ name, issuer })),
    stale: policy.gateway.keys.stale,
    assertion: policy.gateway.assertion !== undefined,
    ...(identities.length > 0 && policy.mesh && { ca: caFiles(policy.mesh) }),
    ...(clientCa.length > 0 && { clientCa }),
    ...(policy.gateway.session && { sessions: policy.gateway.store ? 'shared' : 'own' }),
    identities: identities.map(({ name, spiffe, certFile, keyFile }) => ({ name, spiffe, certFile, keyFile })),
  };
}
