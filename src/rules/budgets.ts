import type { Host, Limit, Policy, Route } from '../policy/types.ts';
import { restsOnNetwork } from './implied.ts';

/** A limit with what is counted under it. */
export interface Counted extends Limit {
  /** Name of the route or host whose requests are counted together; empty: all of the gateway. */
  readonly of: string;
}

/** What is counted of a route's requests; no limit is absent. */
export interface Budgets {
  /** For each caller. */
  readonly callers?: Counted;
  /** For each address, where nobody says who asks; absent where nobody may pass either. */
  readonly anonymous?: Counted;
  /** By the names of agents that a rule of the route speaks of, for each person that they act for: all of them hold. */
  readonly agents: readonly (readonly [agent: string, limits: readonly Counted[]])[];
}

const of = (limit: Limit | null | undefined, name: string): Counted | undefined =>
  limit ? { ...limit, of: name } : undefined;

const present = (...limits: readonly (Counted | undefined)[]): readonly Counted[] =>
  limits.filter((limit) => limit !== undefined);

/** Whether a route may let somebody pass of whom nothing is known. */
function admitsNobody(policy: Policy, { allow }: Route): boolean {
  return allow.some(({ who }) => who.kind === 'anyone' || (who.kind === 'role' && restsOnNetwork(policy, who.role)));
}

/**
 * Which limits hold on a route. For people and addresses it is one: the route's, or else its host's, or else the
 * gateway's. An agent's requests count under the route's or host's as well, and under its own, or else the gateway's
 * for agents, or else the gateway's for callers; never under those of the person that it acts for.
 */
export function budgetsOf(policy: Policy, host: Pick<Host, 'name' | 'limit'>, route: Route): Budgets {
  const { callers, agents, anonymous } = policy.gateway.limits ?? {};
  const isSaid = route.limit !== undefined || host.limit !== undefined;
  const place = route.limit === undefined ? of(host.limit, host.name) : of(route.limit, route.name);
  const otherwise = (limit: Limit | undefined) => (isSaid ? undefined : of(limit, ''));
  const person = place ?? otherwise(callers);
  const nobody = admitsNobody(policy, route) ? (place ?? otherwise(anonymous ?? callers)) : undefined;
  // `null` takes away defaults, and what an agent may ask for is its own.
  const isFree = isSaid && place === undefined;
  const acting = (name: string) => of(policy.agents[name]?.limit, '') ?? (isFree ? undefined : of(agents, ''));
  const named = new Set(route.allow.flatMap(({ who }) => (who.kind === 'agent' ? [who.agent] : [])));
  return {
    ...(person && { callers: person }),
    ...(nobody && { anonymous: nobody }),
    agents: [...named].flatMap((name) => {
      const limits = present(place, acting(name) ?? otherwise(callers));
      return limits.length === 0 ? [] : [[name, limits] as const];
    }),
  };
}

/** Whether anything is counted on a route. */
export const counts = ({ callers, anonymous, agents }: Budgets): boolean =>
  callers !== undefined || anonymous !== undefined || agents.length > 0;

/** For whom a limit counts, in words. */
export const EACH = {
  callers: 'each caller',
  anonymous: 'each address',
  agents: 'this agent and each person that it acts for',
} as const;

/** A limit in the policy's words. */
export const limitText = ({ written, burst }: Limit): string => `${written}, burst ${burst}`;

/** A limit with what it counts, in words. */
export function countedText(limit: Counted, who: string): string {
  return `${limitText(limit)} for ${who}${limit.of === '' ? ', on all routes together' : ` of ${limit.of}`}`;
}

/** A limit as the check knows it. */
export interface TableLimit {
  /** Requests per second. */
  readonly rate: number;
  readonly burst: number;
  /** What else tells its counts from those of other limits. */
  readonly of: string;
  /** In words. */
  readonly says: string;
}

/** {@link Budgets} as the check knows them. */
export interface TableBudgets {
  readonly callers?: TableLimit;
  readonly anonymous?: TableLimit;
  readonly agents?: readonly (readonly [agent: string, limits: readonly TableLimit[]])[];
}

const tableLimit = (limit: Counted, who: string): TableLimit => ({
  rate: limit.rate,
  burst: limit.burst,
  of: limit.of,
  says: countedText(limit, who),
});

/** What the check needs of a route's limits; nothing where none holds. */
export function tableBudgets(budgets: Budgets): { readonly budgets?: TableBudgets } {
  const { callers, anonymous, agents } = budgets;
  if (!counts(budgets)) return {};
  return {
    budgets: {
      ...(callers && { callers: tableLimit(callers, EACH.callers) }),
      ...(anonymous && { anonymous: tableLimit(anonymous, EACH.anonymous) }),
      ...(agents.length > 0 && {
        agents: agents.map(([name, limits]) => [name, limits.map((limit) => tableLimit(limit, EACH.agents))] as const),
      }),
    },
  };
}
