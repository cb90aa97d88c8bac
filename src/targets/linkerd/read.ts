import { isWildcard } from '../../base/host-name.ts';
import { withoutSlashes } from '../../base/slashes.ts';
import type { MeshRule, Path } from '../../rules/types.ts';
import type { LiveObject } from '../kit/kubernetes-objects.ts';
import { methodsOf } from '../kit/methods.ts';
import { DEFAULT_OWNER } from '../kit/owner.ts';
import { MESH_METHODS } from '../kit/reach.ts';
import { unreadable } from '../kit/reading.ts';
import { isInside, meshRule, regionsOf } from '../kit/rules.ts';
import type { Files } from '../types.ts';
import { LINKERD_FILE } from './objects.ts';
import { linkerdFiles, type ReadRoute, type RequestMatch, routesIn } from './parse.ts';

/** How well a route matches a host: by its full name, a wildcard or no host; undefined if it does not match. */
function hostRank(hosts: readonly string[], host: string): number | undefined {
  if (hosts.length === 0) return 0;
  const ranks = hosts.map((it) => {
    if (it === host) return 1000;
    return isWildcard(it) && host.endsWith(it.slice(1)) ? it.length : -1;
  });
  const best = Math.max(...ranks);
  return best < 0 ? undefined : best;
}

const prefixOf = (value: string): string => withoutSlashes(value);

/** How well a match fits a canonical path: the number of characters in the match; undefined if it does not fit. */
function pathRank({ type = 'PathPrefix', value = '/' }: NonNullable<RequestMatch['path']>, path: string) {
  if (type === 'Exact') return path === value ? value.length : undefined;
  // The expressions that meshgate renders match no canonical path.
  if (type === 'RegularExpression') return undefined;
  const prefix = prefixOf(value);
  if (prefix === '') return 1;
  return isInside(path, prefix) ? prefix.length : undefined;
}

/** The route that Linkerd uses for a request. It compares the host, then the path, then the method. Among equal routes
 * it uses the oldest, and then the first by name. */
function routeOf(routes: readonly ReadRoute[], host: string, path: string, method: string): ReadRoute | undefined {
  let best: { readonly route: ReadRoute; readonly rank: readonly number[] } | undefined;
  for (const route of routes) {
    const own = hostRank(route.hosts, host);
    if (own === undefined) continue;
    for (const match of route.matches) {
      if (match.method !== undefined && match.method !== method) continue;
      const length = pathRank(match.path ?? {}, path);
      if (length === undefined) continue;
      const rank = [own, length, match.method === undefined ? 0 : 1];
      const first = rank.findIndex((it, index) => it !== best?.rank[index]);
      if (best === undefined || (first >= 0 && (rank[first] as number) > (best.rank[first] as number)))
        best = { route, rank };
    }
  }
  return best?.route;
}

function pathsOf(routes: readonly ReadRoute[]): readonly Path[] {
  const matches = routes.flatMap((route) => route.matches);
  return matches.flatMap(({ path: { type = 'PathPrefix', value = '/' } = {} }): Path[] => {
    if (type === 'RegularExpression') return [];
    return [type === 'Exact' ? { exact: value } : { prefix: prefixOf(value), except: [] }];
  });
}

/** One rule for each client that reaches a path, with the methods that the client may use. */
function rulesAt(routes: readonly ReadRoute[], host: string, path: Path, sample: string): readonly MeshRule[] {
  const reached = MESH_METHODS.map((method) => ({ method, route: routeOf(routes, host, sample, method) }));
  const clients = new Set(reached.flatMap(({ route }) => route?.clients ?? []));
  return [...clients].map((client) => {
    const own = reached.filter(({ route }) => route?.clients.includes(client));
    const id = own[0]?.route?.id ?? '';
    const methods = methodsOf(own.map(({ method }) => method));
    return meshRule(LINKERD_FILE, { id, route: id, path, ...methods }, { host, as: client });
  });
}

/** How well the best of these routes matches a host. */
const bestRank = (routes: readonly ReadRoute[], host: string): number =>
  Math.max(-1, ...routes.map(({ hosts }) => hostRank(hosts, host) ?? -1));

/** Checks that paths which are not canonical are denied before a prefix can allow them. The route that denies them must
 * match the host as well as the other routes do. */
function checkNonCanonicalPaths(routes: readonly ReadRoute[], host: string): void {
  const isIneffective = ({ path }: RequestMatch) => path?.type === 'RegularExpression';
  const wide = routes.filter(
    ({ clients, matches }) => clients.length > 0 && matches.some(({ path }) => path?.type !== 'Exact'),
  );
  const refusing = routes.filter(({ clients, matches }) => clients.length === 0 && matches.some(isIneffective));
  if (bestRank(refusing, host) < bestRank(wide, host)) {
    throw unreadable(
      host,
      'the route that refuses paths that are not canonical is missing, or a route with a more exact host replaces it',
    );
  }
}

/** The rules for one host in the routes of one workload. */
function hostRules(routes: readonly ReadRoute[], host: string): readonly MeshRule[] {
  const own = routes.filter(({ hosts }) => hostRank(hosts, host) !== undefined);
  checkNonCanonicalPaths(own, host);
  return regionsOf(pathsOf(own)).flatMap(({ path, sample }) => rulesAt(own, host, path, sample));
}

/** A label that is longer than labels may be, so that no name contains it. */
const FRESH = 'x'.repeat(64);

/** The hosts that routes distinguish: full names and, for each wildcard and "any host", a name that only it matches. */
function hostsOf(server: string, routes: readonly ReadRoute[]) {
  const declared = routes.flatMap(({ hosts }) => (hosts.length === 0 ? [''] : hosts));
  return [...new Set(declared)].map((it) => {
    if (it !== '' && !isWildcard(it)) return { host: it, name: it };
    const where = it === '' ? '' : ` in ${it.slice(2)}`;
    return { host: FRESH + it.slice(1), name: `${server} for any other host${where}` };
  });
}

/** Reads objects of Linkerd as rules, reduced to what Linkerd can express; see {@link ./project.ts}.
 * @throws Error for a construct that meshgate does not render */
export function rulesInLinkerd(objects: readonly LiveObject[], owner: string): readonly MeshRule[] {
  const routes = [...routesIn(objects, owner)].sort((a, b) => (a.created + a.id < b.created + b.id ? -1 : 1));
  return [...new Set(routes.map(({ server }) => server))].flatMap((server) => {
    const own = routes.filter((route) => route.server === server);
    return hostsOf(server, own).flatMap(({ host, name }) =>
      hostRules(own, host).map((rule) => ({ ...rule, host: name, service: name })),
    );
  });
}

/** The rules for hosts that no route names in full. nginx never sends such requests, and no policy is about them. */
export function otherHostRules(objects: readonly LiveObject[], owner: string): readonly MeshRule[] {
  const names = ({ spec }: LiveObject): readonly string[] =>
    (spec as { readonly hostnames?: readonly string[] }).hostnames ?? [''];
  const some = objects.some(
    (it) => it.kind === 'HTTPRoute' && names(it).some((host) => host === '' || isWildcard(host)),
  );
  return some ? rulesInLinkerd(objects, owner).filter(({ host }) => host.includes('/')) : [];
}

/** Reads files back as rules; see {@link rulesInLinkerd}.
 * @param files rendered files, or output of `kubectl get -o yaml`, with any names */
export const readLinkerd = (files: Files, owner: string = DEFAULT_OWNER): readonly MeshRule[] =>
  rulesInLinkerd(linkerdFiles(files).objects, owner);
