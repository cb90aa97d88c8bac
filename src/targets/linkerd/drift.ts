import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { isOf, kubeDifferences, type LiveObject, objectTitle } from '../kit/kubernetes-objects.ts';
import { ownerOf } from '../kit/owner.ts';
import type { Files, MeshOptions } from '../types.ts';
import { objectsOf } from './assemble.ts';
import { LINKERD_FILE, NEUTRAL, serverObjectName } from './objects.ts';
import { bearingsOf } from './others.ts';
import { linkerdFiles, withNonCanonicalPaths } from './parse.ts';
import { isForUpdate } from './update.ts';
import { workloadsOf } from './workloads.ts';

/** Whether an object decides before any route: the servers, and the route that denies paths which are not canonical. */
const isCompared = (object: LiveObject): boolean => object.kind === 'Server' || withNonCanonicalPaths(object);

/** The kinds that are read back as rules. */
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

const serversOf = (objects: readonly LiveObject[]) => objects.filter(({ kind }) => kind === 'Server');

const placeOf = ({ metadata }: LiveObject): string => `${metadata.namespace}/${metadata.name}`;

/** Returns for each host whether its workload has no server. */
export function linkerdUnguarded(policy: Policy, rules: readonly Rule[], files: Files) {
  const isManaged = isOf(ownerOf(policy));
  const there = new Set(serversOf(linkerdFiles(files).objects.filter(isManaged)).map(placeOf));
  const hosts = workloadsOf(policy, rules).flatMap(({ service, authorities }) => {
    const server = `${service.namespace}/${serverObjectName(service)}`;
    return there.has(server) ? [] : [...authorities.map(({ host }) => host), server];
  });
  return (host: string): boolean => hosts.includes(host.split(' ')[0] as string);
}

/** How files or live objects differ from what meshgate renders from the policy. Routes and their clients are not
 * compared, because they are proved. It reports servers and denied paths that are missing, changed or left over, and
 * objects of other tools that may change a decision. */
export function linkerdDrift(policy: Policy, rules: readonly Rule[], _: MeshOptions, files: Files): readonly string[] {
  const own = objectsOf(policy, rules);
  const isManaged = isOf(ownerOf(policy));
  const { objects, kustomizations } = linkerdFiles(files);
  const copies = objects.filter((it) => isManaged(it) && isForUpdate(it));
  const live = { kustomizations, objects: objects.filter((it) => !copies.includes(it)) };
  const managed = live.objects.filter(isManaged);
  const there = new Set(serversOf(managed).map(objectTitle));
  const named = hostsOf(own);
  return [
    ...copies.map(
      (it) =>
        `${objectTitle(it)}: an update left it: repeat the steps of the update, and delete the object if it is then still there`,
    ),
    ...kubeDifferences(own.filter(isCompared), live, [LINKERD_FILE], {
      neutral: () => NEUTRAL,
      isManaged,
      bearing: bearingsOf(policy, rules, own),
      isRead: (it) => isManaged(it) && READ.includes(it.kind) && !withNonCanonicalPaths(it),
      // If a server is missing, nothing enforces rules at its pods.
      unguarding: serversOf(own).filter((it) => !there.has(objectTitle(it))),
      unguarded: 'the default inbound policy decides',
    }),
    ...[...hostsOf(managed)].flatMap((it) => (named.has(it) ? [] : `routes of ${it}: no service has this host`)),
  ];
}
