import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { MeshOptions } from '../types.ts';
import { comparedWhole } from '../whole.ts';
import { objectsOf } from './assemble.ts';
import { bearingOf } from './foreign.ts';
import { LINKERD_NEUTRAL } from './neutral.ts';
import type { Rendered } from './objects.ts';
import { isManaged, type KubeObject, objectsIn, titleOf, withOddPaths } from './parse.ts';

/** What decides before any route: which pods and ports are guarded, and what is refused as odd. */
const isCompared = (object: KubeObject): boolean => object.kind === 'Server' || withOddPaths(object);

const hostsOf = (objects: readonly KubeObject[]): ReadonlySet<string> =>
  new Set(
    objects.flatMap(({ kind, metadata, spec }) => {
      if (kind !== 'HTTPRoute') return [];
      const { hostnames = [] } = (spec ?? {}) as { readonly hostnames?: readonly string[] };
      return hostnames.length === 0
        ? [`${metadata?.namespace}: any host`]
        : hostnames.map((it) => `${metadata?.namespace}: ${it}`);
    }),
  );

/**
 * How rendered or live objects differ from what the policy renders to, but for the routes and who passes by them, which
 * are proved: servers and refused paths that are missing, changed or left over, and objects of others that may change an
 * answer.
 */
export function driftOf(
  policy: Policy,
  rules: readonly Rule[],
  _: MeshOptions,
  files: Readonly<Record<string, string>>,
): readonly string[] {
  if (policy.mesh === undefined) return ['the policy has no mesh, so there is nothing for Linkerd to enforce'];
  const own: readonly Rendered[] = objectsOf(policy, rules);
  const live = objectsIn(files);
  const named = hostsOf(own as readonly KubeObject[]);
  const read = (it: KubeObject) => isManaged(it) && it.kind !== 'Server' && !withOddPaths(it);
  return [
    ...comparedWhole<KubeObject, KubeObject>(
      { own: (own as readonly KubeObject[]).filter(isCompared), live: live.filter((it) => !read(it)) },
      { title: titleOf, neutral: () => LINKERD_NEUTRAL, isManaged, bearing: (it) => bearingOf(it, own) },
    ),
    ...[...hostsOf(live.filter(isManaged))]
      .filter((it) => !named.has(it))
      .map((it) => `routes of ${it}: no service of the policy has it`),
  ];
}
