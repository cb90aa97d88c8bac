import type { Host, Limit, Policy, Route } from '../policy/checked/types.ts';
import { restsOnNetwork } from './implied.ts';
import { pick } from './without-prototype.ts';

export interface Counted extends Limit {
  /** The name of the route or host whose requests share the budget. Empty: all requests to the gateway share it. */
  readonly of: string;
}

/** The budgets of a route. An absent member means that there is no such limit. */
export interface Budgets {
  readonly callers?: Counted;
  /** The budget of each address of anonymous callers. Absent if anonymous callers cannot pass. */
  readonly anonymous?: Counted;
  /** The limits of each agent in the route's rules, for each person that it acts for. All limits of an agent apply. */
  readonly agents: readonly (readonly [agent: string, limits: readonly Counted[]])[];
}

const of = (limit: Limit | null | undefined, name: string): Counted | undefined =>
  limit ? { ...limit, of: name } : undefined;

const admitsNobody = (policy: Policy, { allow }: Route): boolean =>
  allow.some(({ who }) => who.kind === 'anyone' || (who.kind === 'role' && restsOnNetwork(policy, who.role)));

/** Returns the limits of a route. For people and addresses, one limit applies: that of the route, the host or the
 * gateway. For an agent, two limits apply: that of the route or host, and its own or else the gateway's. An agent never
 * uses the budget of its person. */
export function budgetsOf(policy: Policy, host: Pick<Host, 'name' | 'limit'>, route: Route): Budgets {
  const { callers, agents, anonymous } = policy.gateway.limits ?? {};
  const isDeclared = route.limit !== undefined || host.limit !== undefined;
  const place = route.limit === undefined ? of(host.limit, host.name) : of(route.limit, route.name);
  const otherwise = (limit: Limit | undefined) => (isDeclared ? undefined : of(limit, ''));
  const person = place ?? otherwise(callers);
  const nobody = admitsNobody(policy, route) ? (place ?? otherwise(anonymous ?? callers)) : undefined;
  // `null` removes the gateway's limits, but not the limit of an agent.
  const isFree = isDeclared && place === undefined;
  const acting = (name: string) => of(policy.agents[name]?.limit, '') ?? (isFree ? undefined : of(agents, ''));
  const named = new Set(route.allow.flatMap(({ who }) => (who.kind === 'agent' ? [who.agent] : [])));
  return {
    ...(person && { callers: person }),
    ...(nobody && { anonymous: nobody }),
    agents: [...named].flatMap((name) => {
      const limits = [place, acting(name) ?? otherwise(callers)].filter((limit) => limit !== undefined);
      return limits.length === 0 ? [] : [[name, limits] as const];
    }),
  };
}

export const counts = ({ callers, anonymous, agents }: Budgets): boolean =>
  callers !== undefined || anonymous !== undefined || agents.length > 0;

export const EACH = {
  callers: 'each caller',
  anonymous: 'each address',
  agents: 'this agent and each person that it acts for',
} as const;

export const limitText = ({ written, burst }: Limit): string => `${written}, burst ${burst}`;

export const countedText = (limit: Counted, who: string): string =>
  `${limitText(limit)} for ${who}${limit.of === '' ? ', on all routes together' : ` of ${limit.of}`}`;

/** A limit as the check reads it. */
export interface TableLimit extends Pick<Counted, 'rate' | 'burst' | 'of'> {
  readonly says: string;
}

export interface TableBudgets {
  readonly callers?: TableLimit;
  readonly anonymous?: TableLimit;
  readonly agents?: readonly (readonly [agent: string, limits: readonly TableLimit[]])[];
}

const tableLimit = (it: Counted, who: string) => ({ ...pick(it, ['rate', 'burst', 'of']), says: countedText(it, who) });

/** The budgets of a route for the table; empty if there are none. */
export function tableBudgets(budgets: Budgets): { readonly budgets?: TableBudgets } {
  const { callers, anonymous, agents } = budgets;
  if (!counts(budgets)) return {};
  const acting = agents.map(([name, limits]) => [name, limits.map((it) => tableLimit(it, EACH.agents))] as const);
  return {
    budgets: {
      ...(callers && { callers: tableLimit(callers, EACH.callers) }),
      ...(anonymous && { anonymous: tableLimit(anonymous, EACH.anonymous) }),
      ...(acting.length > 0 && { agents: acting }),
    },
  };
}
