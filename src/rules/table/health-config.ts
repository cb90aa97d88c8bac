import type { HealthConfig, MeshProbe } from '../../health/types.ts';
import { meshesOf } from '../../policy/checked/ingresses.ts';
import type { Identity, Policy } from '../../policy/checked/types.ts';
import { monitoredFiles, namesAtWorkloads } from './policy-files.ts';
import { isKeyless } from './table.ts';

/** The files of the CAs for certificates of ingresses. */
const caFiles = (policy: Policy): readonly string[] => {
  const all = meshesOf(policy).flatMap(({ ingresses }) => Object.values(ingresses));
  return [...new Set(all.map(({ caFile }) => caFile))];
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

/** The sockets of nginx's servers, and the requests with which the gateway probes its meshes. */
interface Runs {
  /** The unix socket of the check's server. */
  readonly check: string;
  readonly egress: string;
  readonly probes: readonly MeshProbe[];
}

/** Returns the part of a policy that the health check needs. */
export function toHealthConfig({ policy, digest, identities }: Seen, { check, egress, probes }: Runs): HealthConfig {
  const clientCa = clientCaFiles(policy);
  return {
    policy: digest,
    check,
    providers: Object.values(policy.providers)
      .filter((provider) => !isKeyless(provider))
      .map(({ name, issuer }) => ({ name, issuer })),
    stale: policy.gateway.keys.stale,
    assertion: policy.gateway.assertion !== undefined,
    ...(identities.length > 0 && { ca: caFiles(policy) }),
    ...(clientCa.length > 0 && { clientCa }),
    ...(policy.gateway.session && { sessions: policy.gateway.store ? 'shared' : 'own' }),
    identities: identities.map(({ name, mesh, spiffe, certFile, keyFile }) => ({
      name: mesh === undefined ? name : `${mesh}/${name}`,
      ...{ spiffe, certFile, keyFile },
      ...namesAtWorkloads(policy, mesh, spiffe),
    })),
    ...(policy.gateway.audit && { audit: policy.gateway.audit.folder }),
    ...(policy.gateway.audit &&
      policy.gateway.audit.witnesses.length > 0 && {
        witnesses: { egress, all: policy.gateway.audit.witnesses.map(({ url, key }) => ({ url, key })) },
      }),
    files: monitoredFiles(policy),
    ...(probes.length > 0 && {
      probes: {
        egress,
        ...(probes.some(({ assertion }) => assertion !== undefined) &&
          policy.gateway.assertion && { assertion: policy.gateway.assertion }),
        every: policy.gateway.meshProbe?.every ?? 0,
        requests: probes,
      },
    }),
  };
}
