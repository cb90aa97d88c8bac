import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { partings } from '../partings.ts';
import type { MeshOptions } from '../types.ts';
import { istioObjects } from './layers.ts';
import { type LiveObject, layerOf, liveObjects, titleOf } from './live.ts';
import type { KubeObject } from './objects.ts';
import { missing } from './scene.ts';

/** What of a spec is compared; the rules of an authorization policy are proved, whatever their words. */
function comparable({ kind, spec }: Pick<LiveObject, 'kind' | 'spec'>): unknown {
  if (kind !== 'AuthorizationPolicy') return spec ?? {};
  const { rules: _, ...rest } = spec ?? {};
  return rest;
}

/**
 * How rendered or live objects differ from what the policy renders to, but for the rules of authorization policies: those
 * that are missing, changed, or left over.
 */
export function driftOf(
  policy: Policy,
  rules: readonly Rule[],
  options: MeshOptions,
  files: Readonly<Record<string, string>>,
): readonly string[] {
  if (missing(policy, rules) !== undefined) return [];
  const own: readonly KubeObject[] = Object.values(istioObjects(policy, rules, options)).flat();
  const live = liveObjects(files);
  const found = new Map(live.map((it) => [titleOf(it), it]));
  const names = new Set(own.map((it) => titleOf(it)));
  return [
    ...own.flatMap((object) => {
      const there = found.get(titleOf(object));
      if (there === undefined) return [`${titleOf(object)}: it is not there`];
      const spec = comparable({ kind: object.kind, spec: object.spec as Readonly<Record<string, unknown>> });
      return partings(spec, comparable(there), 'spec').map((text) => `${titleOf(object)}: ${text}`);
    }),
    ...live
      .filter((it) => layerOf(it) !== undefined && !names.has(titleOf(it)))
      .map((it) => `${titleOf(it)}: the policy does not render it; it is left over`),
  ];
}
