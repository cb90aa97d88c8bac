import type { HttpRoute, Match } from './objects.ts';

/** How Linkerd's proxy chooses among the routes of a server, from linkerd2-proxy 29637b6, linkerd/http/route/src. It
 * follows the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule), except for one thing: there
 * an exact path stands before every prefix, here both count with their length. */

/** The parts of a request by which routes are chosen. */
export interface Requested {
  readonly method: string;
  /** Raw, with its query. */
  readonly path: string;
  /** Host header, or `:authority`. */
  readonly authority: string;
}

type Rank = readonly number[];

/** The greater first; of equals the earlier one stays, as `best` in lib.rs does. */
function isGreater(a: Rank, b: Rank): boolean {
  const at = a.findIndex((it, i) => it !== b[i]);
  return at >= 0 && (a[at] as number) > (b[at] as number);
}

/**
 * host.rs: the port is not looked at, nor the case; a full name stands before any wildcard, a longer one before a
 * shorter one, and a route without hostnames takes every host, after all others.
 */
function hostRank(hostnames: readonly string[], authority: string): Rank | undefined {
  if (hostnames.length === 0) return [0, 0];
  const host = authority.replace(/:\d+$/, '').toLowerCase().replace(/\.$/, '');
  const ranks = hostnames.flatMap((it): Rank[] => {
    if (it === host) return [[2, it.length]];
    return it.startsWith('*.') && host.endsWith(it.slice(1)) && host.length > it.length - 1 ? [[1, it.length]] : [];
  });
  return best(ranks);
}

/** path.rs: on the raw path without the query; a prefix is one of whole segments, and a final slash means nothing. */
function pathLength({ type, value }: Match, path: string): number | undefined {
  switch (type) {
    case 'Exact':
      return path === value ? value.length : undefined;
    case 'RegularExpression':
      // The whole path must match, and all of it counts.
      return new RegExp(`^(?:${value})$`, 's').test(path) ? path.length : undefined;
    case 'PathPrefix': {
      if (value === '/') return 1;
      const prefix = value.replace(/\/+$/, '');
      const rest = path.replace(/\/+$/, '');
      if (!rest.startsWith(prefix)) return undefined;
      return rest.length === prefix.length || rest[prefix.length] === '/' ? prefix.length : undefined;
    }
  }
}

/** match.rs: the length of the path, then (headers and query, which no route here has, and) whether a method is
 * named. */
function matchRank(match: Match, { method, path }: Requested): Rank | undefined {
  if (match.method !== undefined && match.method !== method) return undefined;
  const length = pathLength(match, path.replace(/\?.*$/s, ''));
  return length === undefined ? undefined : [length, match.method === undefined ? 0 : 1];
}

/** A rule without matches matches everything, as a prefix `/` does. */
const IMPLICIT: Rank = [1, 0];

function best(ranks: readonly (Rank | undefined)[]): Rank | undefined {
  let found: Rank | undefined;
  for (const rank of ranks) if (rank !== undefined && (found === undefined || isGreater(rank, found))) found = rank;
  return found;
}

function ruleRank(matches: readonly Match[], requested: Requested): Rank | undefined {
  return matches.length === 0 ? IMPLICIT : best(matches.map((match) => matchRank(match, requested)));
}

/**
 * The one route that takes a request (https://linkerd.io/2.19/reference/authorization-policy/#httproute: "a given HTTP
 * request can only match one HTTPRoute").
 *
 * @param routes oldest first, then by name: policy-controller/grpc/src/inbound/http.rs
 */
export function routeOf(routes: readonly HttpRoute[], requested: Requested): HttpRoute | undefined {
  let found: { readonly route: HttpRoute; readonly rank: Rank } | undefined;
  for (const route of routes) {
    const host = hostRank(route.hostnames, requested.authority);
    const rule = best(route.rules.map((matches) => ruleRank(matches, requested)));
    if (host === undefined || rule === undefined) continue;
    const rank = [...host, ...rule];
    if (found === undefined || isGreater(rank, found.rank)) found = { route, rank };
  }
  return found?.route;
}
