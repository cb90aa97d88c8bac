import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { KUBE_NEUTRAL, type LiveObject, titleOf } from '../kube-object.ts';
import { kustomizationLines } from '../kustomization.ts';
import type { Neutral } from '../partings.ts';
import type { MeshOptions } from '../types.ts';
import { comparedWhole } from '../whole.ts';
import { bearingOf } from './foreign.ts';
import { istioObjects } from './layers.ts';
import { layerOf, liveFiles } from './live.ts';
import { RULES } from './objects.ts';
import { missing } from './scene.ts';
import { unguarded } from './unguarded.ts';

/** What of live objects changes no answer. */
export const ISTIO_NEUTRAL: readonly Neutral[] = [
  ...KUBE_NEUTRAL,
  { path: ['status'], why: 'istiod writes it, and reads none of it' },
  { path: ['metadata', 'annotations', RULES], why: 'it names the rules of the policy, and nothing decides by it' },
];

/** What of authorization policies is read back as rules. */
export const ISTIO_PROVED: readonly Neutral[] = [
  { path: ['spec', 'rules'], why: 'they are read back as rules, and proved', proved: true },
];

const neutralOf = ({ kind }: LiveObject): readonly Neutral[] =>
  kind === 'AuthorizationPolicy' ? [...ISTIO_NEUTRAL, ...ISTIO_PROVED] : ISTIO_NEUTRAL;

/**
 * How rendered or live objects differ from what the policy renders to, but for the rules of authorization policies: those
 * that are missing, changed, or left over, and those of others that may change an answer.
 */
export function driftOf(
  policy: Policy,
  rules: readonly Rule[],
  options: MeshOptions,
  files: Readonly<Record<string, string>>,
): readonly string[] {
  const lack = missing(policy, rules);
  if (lack !== undefined) return [lack];
  const rendered = istioObjects(policy, rules, options);
  const own = Object.values(rendered).flat() as readonly LiveObject[];
  const { objects, kustomizations } = liveFiles(files);
  const open = unguarded(own, objects);
  return [
    ...comparedWhole<LiveObject, LiveObject>(
      { own, live: objects },
      {
        title: titleOf,
        neutral: neutralOf,
        isManaged: (it) => layerOf(it) !== undefined,
        bearing: (it) => bearingOf(it, own),
        without: (it) => (open.includes(it) ? 'Istio lets everybody in' : undefined),
      },
    ),
    ...kustomizationLines(kustomizations, Object.keys(rendered)),
  ];
}
