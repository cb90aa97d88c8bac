import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { LiveObject } from '../kube-object.ts';
import { istioObjects } from './layers.ts';
import { layerOf, liveFiles } from './live.ts';
import { missing } from './scene.ts';

const policiesOf = (objects: readonly LiveObject[]): readonly LiveObject[] =>
  objects.filter((it) => it.kind === 'AuthorizationPolicy' && layerOf(it) !== undefined);

/** The pods of a policy, as far as policies share them: all of the ingress's, and those of one workload. */
const place = (policy: LiveObject): string =>
  layerOf(policy) === 'ingress' ? 'ingress' : `${policy.metadata.namespace}/${policy.metadata.name}`;

/** Our authorization policies without which none of ours selects the pods: there Istio lets everybody in. */
export function unguarded(own: readonly LiveObject[], live: readonly LiveObject[]): readonly LiveObject[] {
  const guarded = new Set(policiesOf(live).map(place));
  return policiesOf(own).filter((it) => !guarded.has(place(it)));
}

/** Whether Istio lets everybody in at a host, since no policy of ours selects its pods. */
export function unguardedHosts(policy: Policy, rules: readonly Rule[], files: Readonly<Record<string, string>>) {
  if (missing(policy, rules) !== undefined) return () => false;
  const own = Object.values(istioObjects(policy, rules)).flat() as readonly LiveObject[];
  const places = new Set(unguarded(own, liveFiles(files).objects).map(place));
  return (host: string): boolean => places.has(host.includes('/') ? host : 'ingress');
}
