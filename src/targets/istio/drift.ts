import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { KUBE_NEUTRAL } from '../kube-object.ts';
import type { Neutral } from '../partings.ts';
import type { MeshOptions } from '../types.ts';
import { comparedWhole } from '../whole.ts';
import { bearingOf } from './foreign.ts';
import { istioObjects } from './layers.ts';
import { type LiveObject, layerOf, liveObjects, titleOf } from './live.ts';
import { RULES } from './objects.ts';
import { missing } from './scene.ts';

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
  const own = Object.values(istioObjects(policy, rules, options)).flat() as readonly LiveObject[];
  return comparedWhole<LiveObject, LiveObject>(
    { own, live: liveObjects(files) },
    {
      title: titleOf,
      neutral: neutralOf,
      isManaged: (it) => layerOf(it) !== undefined,
      bearing: (it) => bearingOf(it, own),
    },
  );
}
