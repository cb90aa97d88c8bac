import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { type LiveObject, titleOf } from '../kube-object.ts';
import { kustomizationLines } from '../kustomization.ts';
import type { MeshOptions } from '../types.ts';
import { comparedWhole } from '../whole.ts';
import { objectsOf } from './assemble.ts';
import { bearingOf } from './foreign.ts';
import { LINKERD_NEUTRAL } from './neutral.ts';
import { FILE } from './objects.ts';
import { isManaged, liveFiles, withOddPaths } from './parse.ts';
import { unguarded } from './unguarded.ts';

/** What decides before any route: which pods and ports are guarded, and what is refused as odd. */
const isCompared = (object: LiveObject): boolean => object.kind === 'Server' || withOddPaths(object);

/** What is read back as rules. */
const READ = ['HTTPRoute', 'AuthorizationPolicy', 'MeshTLSAuthentication'];

const hostsOf = (objects: readonly LiveObject[]): ReadonlySet<string> =>
  new Set(
    objects.flatMap(({ kind, metadata, spec }) => {
      if (kind !== 'HTTPRoute') return [];
      const { hostnames = [] } = (spec ?? {}) as { readonly hostnames?: readonly string[] };
      return hostnames.length === 0
        ? [`${metadata.namespace}: any host`]
        : hostnames.map((it) => `${metadata.namespace}: ${it}`);
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
  const own = objectsOf(policy, rules);
  const { objects: live, kustomizations } = liveFiles(files);
  const named = hostsOf(own);
  const open = unguarded(own, live);
  return [
    ...comparedWhole<LiveObject, LiveObject>(
      { own: own.filter(isCompared), live },
      {
        title: titleOf,
        neutral: () => LINKERD_NEUTRAL,
        isManaged,
        bearing: (it) => bearingOf(it, own),
        isRead: (it) => isManaged(it) && READ.includes(it.kind) && !withOddPaths(it),
        without: (it) => (open.includes(it) ? 'the default inbound policy decides who gets in' : undefined),
      },
    ),
    ...kustomizationLines(kustomizations, [FILE]),
    ...[...hostsOf(live.filter(isManaged))]
      .filter((it) => !named.has(it))
      .map((it) => `routes of ${it}: no service of the policy has it`),
  ];
}
