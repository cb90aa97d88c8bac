import { ingressesFor } from '../../policy/checked/ingresses.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { isReachedItself, linkerdName, linkerdNames } from '../../policy/checked/workload.ts';
import { hash } from '../../rules/hash.ts';
import type { Rule } from '../../rules/types.ts';
import { spiffeOf } from '../kit/rules.ts';

/** A client of a workload, with the names that Linkerd uses. */
export interface MeshPeer {
  /** The name of an identity of the policy, or one that begins with `ingress`. It is a part of the names of objects. */
  readonly name: string;
  /** The names that the client's certificate may have. A proxy compares one of them: the first in the certificate. */
  readonly ids: readonly string[];
}

/** An ingress as a client, if the policy names its service account. Its requests then reach workloads through it. */
export function ingressClient({ mesh }: Policy, ingress = mesh?.ingress): MeshPeer | undefined {
  const { namespace, serviceAccount, name = 'default' } = ingress ?? {};
  if (mesh === undefined || namespace === undefined || serviceAccount === undefined) return undefined;
  // Objects for several ingresses may be in one namespace, and the name of the ingress distinguishes them.
  return {
    name: name === 'default' ? 'ingress' : `ingress-${name}`,
    ids: [linkerdName(serviceAccount, namespace, mesh.trustDomain)],
  };
}

/** The name of an identity as a client. No ingress has the same: both may be clients of workloads in one namespace. */
export const identityName = (name: string): string => (/^ingress(-|$)/.test(name) ? `${name}-${hash(name)}` : name);

/** The clients that connect to the workload for requests of a rule: one for each ingress that leads to it. */
export function linkerdClients(policy: Policy, rule: Rule): readonly MeshPeer[] {
  const { mesh, services } = policy;
  const service = services[rule.service];
  const itself = { name: identityName(rule.as), ids: linkerdNames(spiffeOf(policy, rule)) };
  if (mesh && service && isReachedItself(mesh, service)) return [itself];
  const ingresses = mesh && service ? ingressesFor(mesh, service) : [mesh?.ingress];
  const all = ingresses.map((it) => ingressClient(policy, it) ?? itself);
  return [...new Map(all.map((client) => [client.name, client])).values()];
}
