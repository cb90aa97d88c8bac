import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { spiffeOf } from '../kit/rules.ts';

/** Who connects to a workload, as Linkerd's proxies know it. */
export interface Client {
  /** `ingress`, or the identity of the policy: what names of objects say of it. */
  readonly name: string;
  /** What its certificate says. */
  readonly id: string;
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const KUBERNETES = new RegExp(`^spiffe://(${LABEL}(?:\\.${LABEL})*)/ns/(${LABEL})/sa/(${LABEL}(?:\\.${LABEL})*)$`);

/** Linkerd's name of a service account. The control plane's namespace is in it: `linkerd` unless installed otherwise. */
function dnsId(serviceAccount: string, namespace: string, trustDomain: string): string {
  return `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.${trustDomain}`;
}

/**
 * Linkerd's name of a SPIFFE id: `spiffe://D/ns/N/sa/S` is a service account; all others are workloads outside of
 * Kubernetes, which Linkerd knows by the SPIFFE id itself.
 */
export function linkerdId(spiffe: string): string {
  const [, trustDomain, namespace, serviceAccount] = KUBERNETES.exec(spiffe) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return spiffe;
  return dnsId(serviceAccount, namespace, trustDomain);
}

/** The ingress, if the policy says what it runs as: then every request reaches workloads as it. */
export function ingressClient({ mesh }: Policy): Client | undefined {
  const { namespace, serviceAccount, name = 'default' } = mesh?.ingress ?? {};
  if (mesh === undefined || namespace === undefined || serviceAccount === undefined) return undefined;
  // Objects of several ingresses may lie in one namespace, and are told apart by this.
  return {
    name: name === 'default' ? 'ingress' : `ingress-${name}`,
    id: dnsId(serviceAccount, namespace, mesh.trustDomain),
  };
}

/** Who connects to the workload when a rule's requests do. */
export function clientOf(policy: Policy, rule: Rule): Client {
  const ingress = ingressClient(policy);
  if (ingress !== undefined) return ingress;
  return { name: rule.as, id: linkerdId(spiffeOf(policy, rule)) };
}
