import { matchesEntire } from './expressions.ts';
import type { Condition, HttpRoute, Match } from './objects.ts';
import type { Target } from './request.ts';

/** How Linkerd's proxy chooses among the routes of a server, from linkerd2-proxy 29637b6, linkerd/http/route/src. It
 * follows the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule), with these exceptions: an
 * exact path counts with its length only, as a prefix does; headers count before the method; hosts have case. */

/** What routes match, besides the target. */
export interface Matched extends Target {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Rank = readonly number[];

/** The greater first; of equals the earlier one stays, as `best` in lib.rs does. */
function isGreater(a: Rank, b: Rank): boolean {
  const at = a.findIndex((it, i) => it !== b[i]);
  return at >= 0 && (a[at] as number) > (b[at] as number);
}

/** host.rs: a full name stands before any wildcard, a longer one before a shorter one, and a route without hostnames
 * takes every host, after all others. */
function hostRank(hostnames: readonly string[], host: string): Rank | undefined {
  if (hostnames.length === 0) return [0, 0];
  const ranks = hostnames.flatMap((it): Rank[] => {
    if (it === host) return [[2, it.length]];
    return it.startsWith('*.') && host.endsWith(it.slice(1)) ? [[1, it.length]] : [];
  });
  return best(ranks);
}

/** path.rs: on the raw path without the query; a prefix is one of whole segments, and final slashes mean nothing. */
function pathLength({ type, value }: Match, path: string): number | undefined {
  switch (type) {
    case 'Exact':
      return path === value ? value.length : undefined;
    case 'RegularExpression':
      // All of the path counts.
      return matchesEntire(value, path) ? path.length : undefined;
    case 'PathPrefix': {
      const prefix = value.replace(/\/+$/, '');
      const rest = path.replace(/\/+$/, '');
      if (prefix === '') return 1;
      if (!rest.startsWith(prefix)) return undefined;
      return rest.length === prefix.length || rest[prefix.length] === '/' ? prefix.length : undefined;
    }
  }
}

const holds = ({ value, isExpression }: Condition, reported: string): boolean =>
  isExpression ? matchesEntire(value, reported) : reported === value;

const isSameHeader = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** match.rs: the length of the path, the number of headers, of query parameters, and whether a method is named. */
function matchRank(match: Match, { method, path, query, headers }: Matched): Rank | undefined {
  if (match.method !== undefined && match.method !== method) return undefined;
  const length = pathLength(match, path);
  if (length === undefined) return undefined;
  const hasHeader = (it: Condition) =>
    Object.entries(headers).some(([name, value]) => isSameHeader(name, it.name) && holds(it, value));
  const hasParameter = (it: Condition) =>
    [...new URLSearchParams(query)].some(([name, value]) => name === it.name && holds(it, value));
  if (!match.headers.every(hasHeader) || !match.query.every(hasParameter)) return undefined;
  return [length, match.headers.length, match.query.length, match.method === undefined ? 0 : 1];
}

/** A rule without matches matches everything, as a prefix `/` does. */
const IMPLICIT: Rank = [1, 0, 0, 0];

function best(ranks: readonly (Rank | undefined)[]): Rank | undefined {
  let found: Rank | undefined;
  for (const rank of ranks) if (rank !== undefined && (found === undefined || isGreater(rank, found))) found = rank;
  return found;
}

function ruleRank(matches: readonly Match[], requested: Matched): Rank | undefined {
  return matches.length === 0 ? IMPLICIT : best(matches.map((match) => matchRank(match, requested)));
}

/**
 * The one route that takes a request (https://linkerd.io/2.19/reference/authorization-policy/#httproute: "a given HTTP
 * request can only match one HTTPRoute").
 *
 * @param routes oldest first, then by name: policy-controller/grpc/src/inbound/http.rs
 */
export function routeOf(routes: readonly HttpRoute[], requested: Matched): HttpRoute | undefined {
  let found: { readonly route: HttpRoute; readonly rank: Rank } | undefined;
  for (const route of routes) {
    const host = hostRank(route.hostnames, requested.host);
    if (host === undefined) continue;
    const rule = best(route.rules.map((matches) => ruleRank(matches, requested)));
    if (rule === undefined) continue;
    const rank = [...host, ...rule];
    if (found === undefined || isGreater(rank, found.rank)) found = { route, rank };
  }
  return found?.route;
}
