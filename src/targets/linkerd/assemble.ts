import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../odd-paths.ts';
import { Paths, textOf } from '../reach.ts';
import { clientOf } from './identity.ts';
import { type Match, matchesOf } from './matches.ts';
import { authentication, oddPaths, type Rendered, type Route, routes, server } from './objects.ts';
import { type Authority, type Workload, workloadsOf } from './workloads.ts';

/** An authority with the matches that hold its rules. */
interface Planned {
  readonly workload: Workload;
  readonly authority: Authority;
  readonly matches: readonly Match[];
}

function plan(policy: Policy, workload: Workload): readonly Planned[] {
  return workload.authorities.map((authority) => {
    const paths = Paths.of(authority.rules, (rule) => clientOf(policy, rule));
    return { workload, authority, matches: matchesOf(paths, workload.authorities.length === 1) };
  });
}

/** Things of one name together, in the order of their first. */
function grouped<T>(items: readonly T[], name: (item: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const own = groups.get(name(item));
    if (own === undefined) groups.set(name(item), [item]);
    else own.push(item);
  }
  return [...groups.values()];
}

/** `*.wiki.svc` for `confluence.wiki.svc`; nothing, which is every host, for a name of one label. */
function wildcard(host: string): readonly string[] {
  const dot = host.indexOf('.');
  return dot < 0 ? [] : [`*${host.slice(dot)}`];
}

/**
 * The routes of one authority. Where an exact path and the prefix of the same path have different callers, the exact
 * one alone names the host in full: Linkerd looks at the host before the path, so it wins.
 */
function authorityRoutes({ workload, authority, matches }: Planned): readonly Rendered[] {
  const { host, rules, service } = authority;
  const ties = matches.some(({ first }) => first);
  const route = (first: boolean): Omit<Route, 'clients'> => ({
    server: workload.service,
    service,
    first,
    hosts: ties && !first ? wildcard(host) : [host],
  });
  const below = matches.some(({ path, clients }) => path.type === 'PathPrefix' && clients.length > 0);
  return [
    ...grouped(matches, ({ first, clients }) => `${first} ${textOf(clients)}`).flatMap((own) =>
      routes({ ...route(own[0].first), clients: own[0].clients }, own),
    ),
    ...(below ? [oddPaths(route(false), encodableOf(rules))] : []),
  ];
}

/** One authentication for each set of clients that a namespace's routes let pass. */
function authentications(all: readonly Planned[]): readonly Rendered[] {
  const passing = all.flatMap(({ workload, matches }) =>
    matches.flatMap(({ clients }) => (clients.length === 0 ? [] : { namespace: workload.service.namespace, clients })),
  );
  return grouped(passing, ({ namespace, clients }) => `${namespace} ${textOf(clients)}`).map(
    ([{ namespace, clients }]) => authentication(namespace, clients),
  );
}

/** Every object that holds the rules: who may pass, then each workload's server with its routes and their policies. */
export function objectsOf(policy: Policy, rules: readonly Rule[]): readonly Rendered[] {
  const all = workloadsOf(policy, rules).map((workload) => plan(policy, workload));
  return [
    ...authentications(all.flat()),
    ...all.flatMap((own) =>
      own.flatMap((it, i) => [...(i === 0 ? [server(it.workload.service)] : []), ...authorityRoutes(it)]),
    ),
  ];
}
