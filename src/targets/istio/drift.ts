import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { Neutral } from '../kit/compare.ts';
import { KUBE_NEUTRAL, kubeDifferences, type Labels, type LiveObject } from '../kit/kubernetes-objects.ts';
import { ownerOf } from '../kit/owner.ts';
import type { Files, MeshTarget } from '../types.ts';
import { istioObjects } from './layers.ts';
import { layersOf, RULE_IDS } from './objects.ts';
import { istioBearing } from './others.ts';
import { withoutPort, workloadHost } from './project.ts';
import { istioLive } from './read.ts';
import { istioLacks } from './services.ts';

/** Members of live objects that change no decision. */
const NEUTRAL: readonly Neutral[] = [
  ...KUBE_NEUTRAL,
  { path: ['status'], why: 'istiod writes it and does not read it' },
  {
    path: ['metadata', 'annotations', RULE_IDS],
    why: 'it names the rules of the policy, and no decision depends on it',
  },
];

/** The part of authorization policies that is read back as rules and proved. */
const PROVED: Neutral = { path: ['spec', 'rules'], why: 'they are read back as rules, and proved', proved: true };

const neutralOf = ({ kind }: LiveObject) => (kind === 'AuthorizationPolicy' ? [...NEUTRAL, PROVED] : NEUTRAL);

type LayerOf = ReturnType<typeof layersOf>;

const policiesOf = (objects: readonly LiveObject[], layerOf: LayerOf): readonly LiveObject[] =>
  objects.filter((it) => it.kind === 'AuthorizationPolicy' && layerOf(it) !== undefined);

/** The pods that a rendered policy selects, as a text: all pods of the ingress, or those of a workload. */
function podsOf(policy: LiveObject, layerOf: LayerOf): string {
  const { selector } = (policy.spec ?? {}) as { readonly selector?: { readonly matchLabels?: Labels } };
  const labels = Object.entries(selector?.matchLabels ?? {}).sort();
  return layerOf(policy) === 'ingress' ? 'ingress' : JSON.stringify([policy.metadata.namespace, labels]);
}

/** The hosts of the rules of a rendered policy, without their ports: those of the ingress, or one workload. */
const place = (policy: LiveObject, layerOf: LayerOf): string =>
  layerOf(policy) === 'ingress' ? 'ingress' : workloadHost(policy.metadata.namespace ?? '', policy.metadata.name);

/** The rendered policies that are missing at pods that no other one selects. Istio then allows all requests there. */
function unguarding(own: readonly LiveObject[], live: readonly LiveObject[], layerOf: LayerOf): readonly LiveObject[] {
  const guarded = new Set(policiesOf(live, layerOf).map((it) => podsOf(it, layerOf)));
  return policiesOf(own, layerOf).filter((it) => !guarded.has(podsOf(it, layerOf)));
}

/** Returns for each host whether Istio allows all requests to it, because no rendered policy selects its pods. */
export function istioUnguarded(policy: Policy, rules: readonly Rule[], files: Files) {
  if (istioLacks(policy, rules) !== undefined) return () => false;
  const own = Object.values(istioObjects(policy, rules)).flat();
  const layerOf = layersOf(ownerOf(policy));
  const places = new Set(unguarding(own, istioLive(files).objects, layerOf).map((it) => place(it, layerOf)));
  return (host: string): boolean => places.has(host.includes('/') ? withoutPort(host) : 'ingress');
}

/** How files or live objects differ from what meshgate renders from the policy, without the rules of authorization
 * policies. It reports objects that are missing, changed or left over, and objects of other tools that may change a
 * decision. */
export const istioDrift: MeshTarget['drift'] = (policy, rules, options, files) => {
  const rendered = istioObjects(policy, rules, options);
  const own = Object.values(rendered).flat();
  const live = istioLive(files);
  const layerOf = layersOf(ownerOf(policy));
  return kubeDifferences(own, live, Object.keys(rendered), {
    neutral: neutralOf,
    isManaged: (it) => layerOf(it) !== undefined,
    bearing: (it) => istioBearing(it, own),
    unguarding: unguarding(own, live.objects, layerOf),
    unguarded: 'Istio allows every request',
  });
};
