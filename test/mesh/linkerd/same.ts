import type { Rendered } from '../matrix/types.ts';
import { clusterWith } from './ask.ts';
import { type Cluster, type Pod, verdictOf } from './evaluate.ts';
import type { Match } from './objects.ts';

/**
 * Whether two versions of Linkerd's objects allow the same requests, by one request of each kind that their texts
 * distinguish.
 */

/** A character with which no text of the objects continues. */
const MORE = '~';

const matchesOf = (clusters: readonly Cluster[]): readonly Match[] =>
  clusters.flatMap(({ routes }) => routes.flatMap(({ rules }) => rules.flat()));

/** A regular expression that matches only itself, except for its dots. */
const isPlain = ({ type, value }: Match): boolean => type !== 'RegularExpression' || /^[\w/.-]+$/.test(value);

/** Expressions for paths that are not canonical: if they are equal, such paths make no difference. */
const expressions = (cluster: Cluster): string =>
  JSON.stringify(
    cluster.routes
      .map((route) => [route.servers, route.hostnames, route.rules.flat().filter((it) => !isPlain(it))])
      .filter(([, , own]) => own!.length > 0),
  );

/** Paths that the matches distinguish: each value, a longer text, a path below it, and other characters for a dot. */
function pathsOf(matches: readonly Match[]): readonly string[] {
  const values = [...new Set(matches.filter(isPlain).map(({ value }) => value.replace(/\/+$/, '')))];
  const near = values.flatMap((it) => [
    it,
    `${it}/`,
    `${it}${MORE}`,
    `${it}/${MORE}`,
    `${it}/${MORE}/`,
    it.replace(/\./g, MORE),
  ]);
  return [...new Set(['/', `/${MORE}`, ...near.filter((it) => it !== '')])];
}

const podsOf = (clusters: readonly Cluster[]): readonly Pod[] =>
  clusters.flatMap(({ servers }) =>
    servers.map(({ namespace, pods, port }) => ({ namespace, labels: pods.labels, port: Number(port) })),
  );

interface Kinds {
  readonly pods: readonly Pod[];
  readonly authorities: readonly string[];
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly clients: readonly (string | undefined)[];
}

function kindsOf(clusters: readonly Cluster[]): Kinds {
  const matches = matchesOf(clusters);
  const hosts = clusters.flatMap(({ routes }) => routes.flatMap(({ hostnames }) => hostnames));
  const identities = clusters.flatMap(({ authentications }) =>
    [...authentications.values()].flatMap((it) => it.identities),
  );
  return {
    pods: podsOf(clusters),
    authorities: [...new Set([...hosts.map((it) => it.replace('*', MORE)), 'other.test'])],
    methods: [...new Set([...matches.flatMap(({ method }) => method ?? []), MORE])],
    paths: pathsOf(matches),
    clients: [...new Set([...identities, 'other.test', undefined])],
  };
}

/** Objects that affect a request to a pod. */
function near({ servers, routes, policies, authentications, networks }: Cluster, { namespace }: Pod): Cluster {
  const own = <T extends { readonly namespace: string }>(all: readonly T[]) =>
    all.filter((it) => it.namespace === namespace);
  return { servers: own(servers), routes: own(routes), policies: own(policies), authentications, networks };
}

const textOf = ({ servers, routes, policies }: Cluster): string => JSON.stringify([servers, routes, policies]);

/** @throws Error where one of them is not taken */
export function letTheSamePass(one: readonly Rendered[], other: readonly Rendered[]): boolean {
  const clusters = [one, other].map((objects) => clusterWith(objects.map(({ value }) => value)));
  const [before, after] = clusters as [Cluster, Cluster];
  if (expressions(before) !== expressions(after)) return false;
  const { authorities, methods, paths, clients } = kindsOf(clusters);
  const pods = podsOf(clusters).filter(
    (pod, i, all) => all.findIndex((it) => JSON.stringify(it) === JSON.stringify(pod)) === i,
  );
  return pods.every((pod) => {
    const [left, right] = [near(before, pod), near(after, pod)];
    const isSame =
      textOf(left) === textOf(right) &&
      JSON.stringify([...before.authentications]) === JSON.stringify([...after.authentications]);
    if (isSame) return true;
    return authorities.every((authority) =>
      methods.every((method) =>
        paths.every((path) =>
          clients.every((client) => {
            const requested = { pod, authority, method, path, ...(client !== undefined && { client }) };
            return (verdictOf(left, requested) === 'allowed') === (verdictOf(right, requested) === 'allowed');
          }),
        ),
      ),
    );
  });
}
