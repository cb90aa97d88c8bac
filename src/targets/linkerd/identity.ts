import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { spiffeOf } from '../kit/rules.ts';

/** A client of a workload, as Linkerd's proxies identify it. */
export interface Client {
  /** `ingress`, or the policy's identity; part of the names of objects. */
  readonly name: string;
  /** The name in its certificate. */
  readonly id: string;
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const KUBERNETES = new RegExp(`^spiffe://(${LABEL}(?:\\.${LABEL})*)/ns/(${LABEL})/sa/(${LABEL}(?:\\.${LABEL})*)$`);

/** Linkerd's name of a service account. It contains the control plane's namespace, which is `linkerd` by default. */
function dnsId(serviceAccount: string, namespace: string, trustDomain: string): string {
  return `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.${trustDomain}`;
}

/** Linkerd's name of a SPIFFE id. `spiffe://D/ns/N/sa/S` is a service account. All others are workloads outside of
 * Kubernetes, which Linkerd identifies by the SPIFFE id itself. */
export function linkerdId(spiffe: string): string {
  const [, trustDomain, namespace, serviceAccount] = KUBERNETES.exec(spiffe) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return spiffe;
  return dnsId(serviceAccount, namespace, trustDomain);
}

/** The ingress, if the policy names its service account: then every request reaches workloads from it. */
export function ingressClient({ mesh }: Policy): Client | undefined {
  const { namespace, serviceAccount, name = 'default' } = mesh?.ingress ?? {};
  if (mesh === undefined || namespace === undefined || serviceAccount === undefined) return undefined;
  // Objects of several ingresses may be in one namespace; this distinguishes them.
  return {
    name: name === 'default' ? 'ingress' : `ingress-${name}`,
    id: dnsId(serviceAccount, namespace, mesh.trustDomain),
  };
}

/** The client that connects to the workload for a rule's requests. */
export function clientOf(policy: Policy, rule: Rule): Client {
  const ingress = ingressClient(policy);
  if (ingress !== undefined) return ingress;
  return { name: rule.as, id: linkerdId(spiffeOf(policy, rule)) };
}
