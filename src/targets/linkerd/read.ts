import { pathAtoms } from '../../rules/atoms.ts';
import type { Path, Rule } from '../../rules/types.ts';
import { methodsOf, NAMED, REST } from '../named-methods.ts';
import { METHODS } from '../reach.ts';
import { type KubeObject, objectsIn, type ReadRoute, type RequestMatch, routesIn, unreadable } from './parse.ts';
import { NOWHERE } from './project.ts';

/** How well a route's host fits: in full, by a wildcard, by saying none; undefined: not. */
function hostRank(hosts: readonly string[], host: string): number | undefined {
  if (hosts.length === 0) return 0;
  const ranks = hosts.map((it) => {
    if (it === host) return 1000;
    return it.startsWith('*.') && host.endsWith(it.slice(1)) ? it.length : -1;
  });
  const best = Math.max(...ranks);
  return best < 0 ? undefined : best;
}

const prefixOf = (value: string): string => value.replace(/(?<!\/)\/+$/, '');

/** How well a match fits a canonical path: by the characters that it names; undefined: not. */
function pathRank({ type = 'PathPrefix', value = '/' }: NonNullable<RequestMatch['path']>, path: string) {
  if (type === 'Exact') return path === value ? value.length : undefined;
  // Those that meshgate renders match no canonical path.
  if (type === 'RegularExpression') return undefined;
  const prefix = prefixOf(value);
  if (prefix === '') return 1;
  return path === prefix || path.startsWith(`${prefix}/`) ? prefix.length : undefined;
}

/** The route that takes a request: host, then path, then method; of equals the oldest, then the first by name. */
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

const baseOf = (path: Path): string => ('exact' in path ? path.exact : path.prefix);

const isInside = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** One rule for each client that reaches a path, with the methods that it may use there. */
function rulesAt(routes: readonly ReadRoute[], host: string, path: Path, sample: string): readonly Rule[] {
  const reached = METHODS.map((method) => ({ method, route: routeOf(routes, host, sample, method) }));
  const clients = new Set(reached.flatMap(({ route }) => route?.clients ?? []));
  return [...clients].map((client): Rule => {
    const own = reached.filter(({ route }) => route?.clients.includes(client));
    const names = own.map(({ method }) => method);
    const methods = methodsOf(
      NAMED.filter((method) => names.includes(method)),
      names.includes(REST),
    );
    const id = own[0]?.route?.id ?? '';
    const plain = { id, at: NOWHERE, route: id, host, path, service: host, as: client } as const;
    return { ...plain, ...(methods !== undefined && { methods }), who: { kind: 'anyone' } };
  });
}

/** What the routes of one workload let pass for one host. */
function hostRules(routes: readonly ReadRoute[], host: string): readonly Rule[] {
  const own = routes.filter(({ hosts }) => hostRank(hosts, host) !== undefined);
  const isOdd = ({ path }: RequestMatch) => path?.type === 'RegularExpression';
  if (own.some(({ clients, matches }) => clients.length > 0 && matches.some(({ path }) => path?.type !== 'Exact'))) {
    if (!own.some(({ clients, matches }) => clients.length === 0 && matches.some(isOdd))) {
      throw unreadable(host, 'the route that refuses odd paths is gone');
    }
  }
  const atoms = pathAtoms(pathsOf(own));
  const points = atoms.filter(({ kind }) => kind === 'point').map(({ base }) => ({ exact: base }));
  const prefixes = atoms.filter(({ kind }) => kind === 'below').map(({ base }) => ({ prefix: base, except: [] }));
  return atoms.flatMap(({ kind, base, path }) => {
    if (kind === 'point') return rulesAt(own, host, { exact: base }, path);
    const inner = [...points, ...prefixes].filter(
      (it) => isInside(baseOf(it), base) && !('prefix' in it && it.prefix === base),
    );
    return rulesAt(own, host, { prefix: base, except: inner }, path);
  });
}

/**
 * Linkerd's objects as rules, as far as Linkerd keeps them; see {@link ./project.ts}.
 *
 * @throws Error where there is something that meshgate would not render
 */
export function rulesOf(objects: readonly KubeObject[]): readonly Rule[] {
  const routes = [...routesIn(objects)].sort((a, b) => (a.created + a.id < b.created + b.id ? -1 : 1));
  return [...new Set(routes.map(({ server }) => server))].flatMap((server) => {
    const own = routes.filter((route) => route.server === server);
    const hosts = new Set(own.flatMap(({ hosts }) => hosts.filter((host) => !host.startsWith('*'))));
    return [...hosts].flatMap((host) => hostRules(own, host));
  });
}

/**
 * Reads files back as rules; see {@link rulesOf}.
 *
 * @param files what was rendered, or what `kubectl get -o yaml` says of it, whatever the names
 */
export function readLinkerd(files: Readonly<Record<string, string>>): readonly Rule[] {
  return rulesOf(objectsIn(files));
}
