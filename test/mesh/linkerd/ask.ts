import { parseAllDocuments } from 'yaml';
import type { Policy } from '../../../src/policy/checked/types.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { linkerd } from '../../../src/targets/linkerd/index.ts';
import { takenIn } from './admission.ts';
import { type Cluster, clusterOf, type Pod } from './evaluate.ts';

/** The output of `meshgate render`, as plain objects. */
export function renderedObjects(policy: Policy, rules: readonly Rule[]): readonly unknown[] {
  const text = linkerd.emit(policy, rules).files['linkerd.yaml'] ?? '';
  return parseAllDocuments(text).map((document) => document.toJS());
}

/**
 * A cluster with these objects.
 *
 * @throws Error where one of them is not taken
 */
export const clusterWith = (objects: readonly unknown[]): Cluster => clusterOf(objects.map((it) => takenIn(it)));

/** The pod of a service, with its own label besides those of the policy. */
export function podOf(policy: Policy, name: string): Pod {
  const { namespace, labels, port } = policy.services[name] ?? {};
  if (namespace === undefined || port === undefined) throw new Error(`service ${name} is no workload`);
  return { namespace, labels: { ...labels, 'pod-template-hash': '5d4f' }, port };
}

/** Linkerd's name of a SPIFFE id: https://linkerd.io/2.19/reference/authorization-policy/#meshtlsauthentication */
export function meshIdentity(spiffe: string): string {
  const [, domain, namespace, serviceAccount] = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(spiffe) ?? [];
  if (domain === undefined) return spiffe;
  return `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.${domain}`;
}
