import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../kit/non-canonical-paths.ts';
import { Paths, textOf } from '../kit/reach.ts';
import { grouped } from '../kit/rules.ts';
import { matchesOf } from './matches.ts';
import { clientsOf } from './mesh-identity.ts';
import { authentication, nonCanonicalPaths, type Rendered, type Route, routes, server } from './objects.ts';
import { type Workload, workloadsOf } from './workloads.ts';

/** An authority of a workload, and the matches that enforce its rules. */
type Planned = ReturnType<typeof plan>[number];

const plan = (policy: Policy, workload: Workload) =>
  workload.authorities.map((authority) => {
    const paths = new Paths(authority.rules, (rule) => clientsOf(policy, rule));
    return { workload, authority, matches: matchesOf(paths, workload.authorities.length === 1) };
  });

/** The wildcard for a host: `*.wiki.svc` for `confluence.wiki.svc`; empty for a single label, which means any host. */
function wildcard(host: string): readonly string[] {
  const dot = host.indexOf('.');
  return dot < 0 ? [] : [`*${host.slice(dot)}`];
}

/** The routes of one authority. An exact path and the prefix of the same path may have different callers. Then only the
 * route of the exact path names the full host: Linkerd compares hosts before paths, so this route takes precedence. */
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
    ...[...grouped(matches, ({ first, clients }) => `${first} ${textOf(clients)}`).values()].flatMap((own) =>
      routes({ ...route(own[0].first), clients: own[0].clients }, own),
    ),
    ...(below ? [nonCanonicalPaths(route(false), encodableOf(rules))] : []),
  ];
}

/** The authentications. There is one for each set of clients that routes of a namespace allow. */
function authentications(all: readonly Planned[]): readonly Rendered[] {
  const passing = all.flatMap(({ workload, matches }) =>
    matches.flatMap(({ clients }) => (clients.length === 0 ? [] : { server: workload.service, clients })),
  );
  const bySet = grouped(passing, ({ server, clients }) => `${server.namespace} ${textOf(clients)}`);
  return [...bySet.values()].map(([{ server, clients }]) => authentication(server, clients));
}

/** Every object that enforces the rules: authentications, then each workload's server, routes and policies. */
export function objectsOf(policy: Policy, rules: readonly Rule[]): readonly Rendered[] {
  const all = workloadsOf(policy, rules).map((workload) => plan(policy, workload));
  return [
    ...authentications(all.flat()),
    ...all.flatMap((own) =>
      own.flatMap((it, i) => [...(i === 0 ? [server(it.workload.service)] : []), ...authorityRoutes(it)]),
    ),
  ];
}
