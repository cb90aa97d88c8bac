import { isCanonical } from '../../../src/base/raw-path.ts';
import type { Policy, Service } from '../../../src/policy/checked/types.ts';
import { enforced } from '../../../src/rules/enforced.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { expectedOf, spiffeOf, type View } from '../matrix/expect.ts';
import type { Answer, Cell, Mutable, OriginalTrial, Rendered, Trial, VersionTrial } from '../matrix/types.ts';
import { clusterWith, meshIdentity, podOf, renderedObjects } from './ask.ts';
import { type Cluster, type Pod, verdictOf } from './evaluate.ts';

/** Hosts by which a service's authority can be written: in lower case. The port has no meaning for Linkerd. */
function authorities({ authority }: Service, policy: Policy): readonly string[] {
  const host = authority.replace(/:\d+$/, '');
  const { ingress } = policy.mesh ?? {};
  return [authority, host, ...[ingress?.own?.listen, ingress?.port, 443].map((port) => `${host}:${port}`)];
}

/** What Linkerd sees: at the workload, the connecting identity, and no assertion. */
function viewOf(policy: Policy, rules: readonly Rule[]): View {
  const { namespace, serviceAccount } = policy.mesh?.ingress ?? {};
  const behind = serviceAccount !== undefined;
  return {
    policy,
    rules: enforced(rules),
    layer: behind ? 'workload' : 'ingress',
    assertion: false,
    as: false,
    authorities: (name) => authorities(policy.services[name] as Service, policy),
    path: (raw) => {
      // Linkerd removes the fragment before it matches and forwards.
      const sent = raw.replace(/#.*$/s, '');
      return isCanonical(sent) ? { path: sent.replace(/\?.*$/s, '') } : { refused: 'refused: rules' };
    },
    flawed: () => 'refused: credential',
    connects: () => true,
    ...(behind && { ingress: `spiffe://${policy.mesh?.trustDomain}/ns/${namespace}/sa/${serviceAccount}` }),
  };
}

const nameOf = (object: unknown): string => {
  const { kind, metadata } = object as { kind: string; metadata: { name: string; namespace: string } };
  return `${kind} ${metadata.namespace}/${metadata.name}`;
};

/** Pods outside the policy: of the same namespace or port, with other labels, ports, namespaces. */
function bystanders(pod: Pod): readonly Pod[] {
  const { labels } = pod;
  const less = Object.keys(labels).map((left) => ({
    ...pod,
    labels: Object.fromEntries(Object.entries(labels).filter(([key]) => key !== left)),
  }));
  const apart = less.filter(({ labels }) => labels['pod-template-hash'] !== undefined);
  return [...apart, { ...pod, port: pod.port + 1 }, { ...pod, namespace: `${pod.namespace}-other` }];
}

/** Linkerd's documented rules over what `meshgate render` writes; see {@link ./evaluate.ts}. */
export class LinkerdSide implements Mutable {
  readonly name = 'linkerd';
  readonly objects: readonly Rendered[];
  readonly #policy: Policy;
  readonly #view: View;
  readonly #cluster: Cluster;

  constructor(policy: Policy, rules: readonly Rule[]) {
    this.#policy = policy;
    this.#view = viewOf(policy, rules);
    this.objects = renderedObjects(policy, rules).map((value) => ({ name: nameOf(value), value }));
    this.#cluster = clusterWith(this.objects.map(({ value }) => value));
  }

  /** Undefined for a service outside the mesh. A Host for another service reaches the pods of that service. */
  expected(cell: Cell): Answer | undefined {
    if (this.#policy.services[cell.service]?.direct !== undefined) return undefined;
    // Linkerd compares hosts with their case, and ignores everything after the colon.
    const authority = cell.authority.replace(/:.*$/s, '');
    const elsewhere = Object.values(this.#policy.services).some(
      (it) => it.name !== cell.service && authorities(it, this.#policy).includes(authority),
    );
    const answer = elsewhere ? 'refused: rules' : expectedOf({ ...cell, authority }, this.#view);
    // Not TLS, but the route's policy ends it: no caller can pass.
    return cell.connects.kind === 'plain' ? 'refused: rules' : answer;
  }

  ask(cell: Cell): Answer {
    return this.#ask(this.#cluster, cell);
  }

  #ask(cluster: Cluster, cell: Cell): Answer {
    // A proxy accepts mesh TLS only with a certificate of its trust anchors.
    if (cell.connects.kind === 'other CA' || cell.connects.kind === 'no certificate') return 'refused: connection';
    const spiffe = spiffeOf(cell, this.#view);
    // nginx connects with an SVID, or from a pod of the mesh. An ingress has the certificate of its own proxy.
    const names = spiffe === undefined ? [] : [meshIdentity(spiffe), ...(this.#view.ingress ? [] : [spiffe])];
    const clients = names.length === 0 ? [{}] : names.map((client) => ({ client }));
    const pod = podOf(this.#policy, cell.service);
    const { authority, method, path } = cell;
    const tls = cell.connects.kind !== 'plain';
    const touched = bystanders(pod).some(
      (it) => verdictOf(cluster, { pod: it, authority, method, path }) !== 'allowed',
    );
    if (touched) return 'wrong: it applies to pods of other services';
    const verdicts = clients.map((client) => verdictOf(cluster, { pod, authority, method, path, tls, ...client }));
    if (new Set(verdicts).size > 1) return 'wrong: the names of one identity are not equal';
    return verdicts[0] === 'allowed' ? 'allowed' : 'refused: rules';
  }

  *trials(versions: readonly (readonly Rendered[])[]): Generator<VersionTrial | OriginalTrial> {
    for (const [version, objects] of versions.entries()) yield { ...this.#trial(objects), version };
    yield { ...this.#trial(this.objects), originalOf: [...versions.keys()] };
  }

  #trial(objects: readonly Rendered[]): Trial {
    try {
      const cluster = clusterWith(objects.map(({ value }) => value));
      return { ask: (cell) => this.#ask(cluster, cell) };
    } catch (error) {
      return { rejected: (error as Error).message };
    }
  }
}
