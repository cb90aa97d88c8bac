import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../kit/non-canonical-paths.ts';
import { namesKey, RulesByPath } from '../kit/reach.ts';
import { grouped } from '../kit/rules.ts';
import { matchesOf } from './matches.ts';
import { linkerdClients } from './mesh-identity.ts';
import { authentication, type LinkerdObject, type LinkerdRoute, nonCanonicalRoute, routes, server } from './objects.ts';
import { type Workload, workloadsOf } from './workloads.ts';

/** An authority of a workload, and the matches that enforce its rules. */
type Planned = ReturnType<typeof plan>[number];

const plan = (policy: Policy, workload: Workload) =>
  workload.authorities.map((authority) => {
    const paths = new RulesByPath(authority.rules, (rule) => linkerdClients(policy, rule));
    return { workload, authority, matches: matchesOf(paths, workload.authorities.length === 1) };
  });

/** The wildcard for a host: `*.wiki.svc` for `confluence.wiki.svc`; empty for a single label, which means any host. */
function wildcard(host: string): readonly string[] {
  const dot = host.indexOf('.');
  return dot < 0 ? [] : [`*${host.slice(dot)}`];
}

/** The routes of one authority. An exact path and the prefix of the same path may have different callers. Then only the
 * route of the exact path names the full host: Linkerd compares hosts before paths, so this route takes precedence. */
function authorityRoutes({ workload, authority, matches }: Planned): readonly LinkerdObject[] {
  const { host, rules, service } = authority;
  const ties = matches.some(({ first }) => first);
  const route = (first: boolean): Omit<LinkerdRoute, 'clients'> => ({
    server: workload.service,
    service,
    first,
    hosts: ties && !first ? wildcard(host) : [host],
  });
  const below = matches.some(({ path, clients }) => path.type === 'PathPrefix' && clients.length > 0);
  return [
    ...[...grouped(matches, ({ first, clients }) => `${first} ${namesKey(clients)}`).values()].flatMap((own) =>
      routes({ ...route(own[0].first), clients: own[0].clients }, own),
    ),
    ...(below ? [nonCanonicalRoute(route(false), encodableOf(rules))] : []),
  ];
}

/** The authentications. There is one for each set of clients that routes of a namespace allow. */
function authentications(all: readonly Planned[]): readonly LinkerdObject[] {
  const passing = all.flatMap(({ workload, matches }) =>
    matches.flatMap(({ clients }) => (clients.length === 0 ? [] : { server: workload.service, clients })),
  );
  const bySet = grouped(passing, ({ server, clients }) => `${server.namespace} ${namesKey(clients)}`);
  return [...bySet.values()].map(([{ server, clients }]) => authentication(server, clients));
}

/** Every object that enforces the rules: authentications, then each workload's server, routes and policies. */
export function objectsOf(policy: Policy, rules: readonly Rule[]): readonly LinkerdObject[] {
  const all = workloadsOf(policy, rules).map((workload) => plan(policy, workload));
  return [
    ...authentications(all.flat()),
    ...all.flatMap((own) =>
      own.flatMap((it, i) => [...(i === 0 ? [server(it.workload.service)] : []), ...authorityRoutes(it)]),
    ),
  ];
}
