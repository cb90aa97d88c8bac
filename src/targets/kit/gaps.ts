import type { Policy } from '../../policy/checked/types.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import { heldByNobody } from '../../rules/implied.ts';
import type { Rule } from '../../rules/types.ts';
import type { Gap } from '../types.ts';
import { encodableOf } from './non-canonical-paths.ts';

/** The gap of a part of the policy, if a condition holds. */
export const gapIf = (holds: boolean, part: string, text: string): readonly Gap[] => (holds ? [{ part, text }] : []);

/** The gaps of services that nginx reaches without a mesh. */
export function directGaps({ services }: Policy, rules: readonly Rule[], text: string): readonly Gap[] {
  const direct = new Set(rules.flatMap(({ service }) => (services[service]?.direct ? service : [])));
  return [...direct].map((name) => ({ part: `services.${name}`, text }));
}

/** The gap of paths that a mesh denies because it does not decode them. `refuses` says what denies them. */
export function encodingGaps(rules: readonly Enforced[], refuses: string): readonly Gap[] {
  const first = rules.find((rule) => encodableOf([rule]).length > 0);
  if (first === undefined) return [];
  const characters = encodableOf(rules).join(' ');
  const text = `${refuses} if a client percent-encodes one of these characters, which paths of the policy contain: ${characters}`;
  return [{ part: first.id, text }];
}

/** The gap of identities that workloads do not see, because the ingress replaces them by its own. */
export function identityGaps(rules: readonly Rule[], text: (names: string) => string): readonly Gap[] {
  const names = [...new Set(rules.map(({ as }) => as))].filter((as) => as !== '' && as !== 'default').join(', ');
  return names === '' ? [] : [{ part: 'mesh.identities', text: text(names) }];
}

/** The text that says what workloads behind an ingress see instead of an identity. */
export const endsText = (ingress: string) => (names: string) =>
  `workloads see the identity of the ingress (${ingress}), not the one with which nginx connects to the ingress (${names})`;

/** The content of a rule without its host and its name. */
const reportedOf = ({ path, methods, who, agent, alone, tools, as }: Enforced): string =>
  JSON.stringify([path, methods, who, agent, alone, tools, as]);

/** The content of all rules of one host for one service. */
const declaredAt = (rules: readonly Enforced[], host: string): string =>
  [...new Set(rules.filter((rule) => rule.host === host).map(reportedOf))].sort().join();

/** The gap of hosts that lead to one service by different rules. A mesh sees only the service, and joins the rules. */
export function unitedHosts(rules: readonly Enforced[], mesh: string): readonly Gap[] {
  const services = [...new Set(rules.map(({ service }) => service))];
  return services.flatMap((service): Gap[] => {
    const own = rules.filter((rule) => rule.service === service);
    const hosts = [...new Set(own.map(({ host }) => host))];
    if (new Set(hosts.map((host) => declaredAt(own, host))).size < 2) return [];
    const text = `${hosts.join(' and ')} lead to this service by different rules, and ${mesh} sees the service and not the host: a request that the rules of one host allow also passes for the other; if the mesh must distinguish the hosts, give each a service with its own authority`;
    return [{ part: `services.${service}`, text }];
  });
}

/** The gap of rules for `authenticated`, which also match the assertions of some anonymous callers. An anonymous caller
 * who has a role because of the request has an assertion too, and a mesh cannot see that the caller is anonymous. */
export function anonymousAssertions(policy: Policy, rules: readonly Enforced[], mesh: string): readonly Gap[] {
  if (policy.gateway.assertion === undefined) return [];
  const byRequest = heldByNobody([policy]);
  const bare = rules.filter(({ who }) => who.kind === 'role' && byRequest.has(who.role));
  const gaps = rules.flatMap((rule): Gap[] => {
    if (rule.who.kind !== 'authenticated' || typeof rule.agent === 'string') return [];
    const other = bare.find(({ service, as }) => service === rule.service && as === rule.as);
    if (other?.who.kind !== 'role') return [];
    const text = `anonymous callers have an assertion too if the request gives them the role ${other.who.role} (${writtenId(other.id)}), and ${mesh} cannot distinguish this assertion from that of an authenticated caller; if the mesh must distinguish them, give one of the rules its own identity (as)`;
    return [{ part: writtenId(rule.id), text }];
  });
  return [...new Map(gaps.map((gap) => [gap.part, gap])).values()];
}

/** Whether another host that leads to the rule's service has no rule with the same content. */
function isUnited(rule: Enforced, rules: readonly Enforced[]): boolean {
  const own = rules.filter(({ service }) => service === rule.service);
  const declared = reportedOf(rule);
  const hostsOf = (some: readonly Enforced[]) => new Set(some.map(({ host }) => host)).size;
  return hostsOf(own.filter((other) => reportedOf(other) === declared)) < hostsOf(own);
}

/** Why a mesh allows more than a rule, according to the gaps from {@link unitedHosts} and {@link anonymousAssertions}.
 * @param id the id of the rule in the policy
 * @param seen the mesh, and whether it reads the assertion */
export function widerTexts(
  policy: Policy,
  rules: readonly Enforced[],
  id: string,
  seen: { readonly mesh: string; readonly assertion: boolean },
): readonly string[] {
  const { mesh, assertion } = seen;
  const own = rules.filter((rule) => writtenId(rule.id) === id);
  const united = own.some((rule) => isUnited(rule, rules))
    ? unitedHosts(rules, mesh).filter(({ part }) => part === `services.${own[0]?.service}`)
    : [];
  const anonymous = assertion ? anonymousAssertions(policy, rules, mesh).filter(({ part }) => part === id) : [];
  return [...united, ...anonymous].map(({ text }) => text);
}

/** The places in a policy that set limits. */
function written({ gateway, agents, hosts }: Policy): readonly string[] {
  const { callers, agents: acting, anonymous } = gateway.limits ?? {};
  return [
    ...(callers || acting || anonymous ? ['gateway.limits'] : []),
    ...Object.values(agents).flatMap(({ name, limit }) => (limit ? [`agents.${name}.limit`] : [])),
    ...hosts.flatMap(({ name, limit, routes }) => [
      ...(limit ? [`hosts.${JSON.stringify(name)}.limit`] : []),
      ...routes.flatMap((route) => (route.limit ? [`${route.name} limit`] : [])),
    ]),
  ];
}

/** The gap of limits. They are not a part of the rules, and no mesh enforces them. */
export function rateLimitGaps(policy: Policy, mesh: string): readonly Gap[] {
  const [first, ...rest] = written(policy);
  if (first === undefined) return [];
  const more =
    rest.length === 0
      ? 'this limit is'
      : `this and ${rest.length === 1 ? 'another limit' : `${rest.length} other limits`} are`;
  const text = `${more} enforced only at the gateway, by each replica for itself: ${mesh} counts no requests, so traffic that does not pass the gateway needs a limit of the mesh`;
  return [{ part: first, text }];
}
