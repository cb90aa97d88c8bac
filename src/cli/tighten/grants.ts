import type { Usage } from '../../audit/replay/usage.ts';
import { isWildcard } from '../../base/host-name.ts';
import type { At, Host, Policy, Route } from '../../policy/checked/types.ts';
import { place } from '../../policy/index.ts';
import { findRoute } from '../../rules/decide/match.ts';
import type { Rule } from '../../rules/types.ts';
import type { Loaded } from '../common/load.ts';
import { ruleText } from '../common/words.ts';

/** What can be removed: a rule, some of its methods, a route with all its rules, or a host with all its routes. */
export interface Grant {
  readonly kind: 'rule' | 'methods' | 'route' | 'host';
  readonly at: At;
  readonly text: string;
  /** The methods to remove. */
  readonly methods?: readonly string[];
  /** When it was last used, in milliseconds since the epoch; absent: never in this log. */
  readonly last?: number;
  /** Why it is not removed although no request used it. */
  readonly stays?: string;
  /** Of a route or a host: where it is. */
  readonly from?: { readonly host: string; readonly route?: Route };
  /** Whether the sealed log has its name from the host that is removed. */
  readonly namesLog?: boolean;
}

export interface Period {
  /** A use before this time does not count, in milliseconds since the epoch. */
  readonly since: number;
  /** Whether the owner of the policy wants to keep a rule, or the route with this name. */
  readonly keeps: (rule: Pick<Rule, 'at' | 'route' | 'who'>) => boolean;
}

function lastUse(usage: Usage, rules: readonly Pick<Rule, 'id'>[]): number | undefined {
  const times = rules.flatMap(({ id }) => usage.of(id)?.last ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

const withLast = (last: number | undefined) => (last === undefined ? {} : { last });

/** Returns the rules that are written at one place. With aliases, rules of several routes are written at one place. */
function written(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const all = new Map<string, Rule[]>();
  for (const rule of rules) {
    const key = place(rule.at);
    all.set(key, [...(all.get(key) ?? []), rule]);
  }
  return all;
}

/** Whether another route has paths of a route that is removed. They would then belong to this other route. */
function heir(route: Route, others: readonly Route[]): Route | undefined {
  return findRoute(others, route.path) ?? (route.kind === 'prefix' ? findRoute(others, `${route.path}/x`) : undefined);
}

/** Returns the host that has the requests of a host that is removed. */
const hostHeir = (host: string, others: readonly string[]): string | undefined =>
  others.find((name) => isWildcard(name) && name !== host && host.endsWith(name.slice(1)));

const pathsTo = (other: string) => `its paths would then belong to ${other}`;
const requestsTo = (other: string) => `its requests would then belong to ${other}`;

/** Says why a route or a host must stay, from the policy without it: another part of it has the requests now, and may
 * allow more, or the sealed log would have another name; undefined if nothing speaks against it. */
export function inherited({ from, namesLog }: Grant, { hosts, gateway }: Policy): string | undefined {
  if (from === undefined) return undefined;
  if (namesLog && gateway.audit?.host !== from.host)
    return `the sealed log has its name: to remove it, first write gateway.audit.host: ${from.host}`;
  const names = hosts.map(({ name }) => name);
  const host = from.route && hosts.find(({ name }) => name === from.host);
  const other = host && from.route && heir(from.route, host.routes);
  if (other !== undefined) return pathsTo(other.name);
  const wider = host === undefined ? hostHeir(from.host, names) : undefined;
  return wider && requestsTo(wider);
}

/** Finds the grants of a policy that no request of a period used. */
export class Unused {
  readonly #usage: Usage;
  readonly #period: Period;
  readonly #loaded: Loaded;
  readonly #places: ReadonlyMap<string, readonly Rule[]>;

  constructor(loaded: Loaded, usage: Usage, period: Period) {
    this.#loaded = loaded;
    this.#usage = usage;
    this.#period = period;
    this.#places = written(loaded.rules);
  }

  #isUsed(rule: Rule): boolean {
    const last = this.#usage.of(rule.id)?.last;
    return last !== undefined && last >= this.#period.since;
  }

  /** Whether none of these rules was used, and the owner keeps none of them. */
  #isFree(rules: readonly Rule[]): boolean {
    return !rules.some((rule) => this.#isUsed(rule) || this.#period.keeps(rule));
  }

  /** Returns all grants that no request used: hosts, then routes, then rules and methods. */
  all(): readonly Grant[] {
    const { policy, rules } = this.#loaded;
    const of = (route: Route) => rules.filter((rule) => rule.route === route.name);
    const isFree = (route: Route) => this.#isFree(of(route));
    const routes = policy.hosts.map((host) => this.#routes(host, of, isFree));
    const hosts = this.#hosts(routes);
    const handled = new Set(routes.flatMap(({ free }) => free.map(({ name }) => name)));
    const places = [...this.#places.values()].filter((it) => !it.every(({ route }) => handled.has(route)));
    return [...hosts, ...places.flatMap((it) => this.#rule(it))];
  }

  /** Sorts the free routes of a host into those that can be removed and those whose paths another route would take. */
  #routes(host: Host, of: (route: Route) => readonly Rule[], isFree: (route: Route) => boolean) {
    const kept: Route[] = host.routes.filter((route) => !isFree(route));
    const free = host.routes.filter(isFree);
    const grants: Grant[] = [];
    for (const route of [...free].sort((a, b) => a.path.length - b.path.length)) {
      const other = heir(route, kept);
      if (other !== undefined) kept.push(route);
      const text = `route ${route.name} with ${of(route)
        .map((rule) => ruleText(rule, route.service))
        .join('; ')}`;
      const stays = other && pathsTo(other.name);
      const from = { host: host.name, route };
      const last = lastUse(this.#usage, of(route));
      grants.push({ kind: 'route', at: route.at, text, from, ...withLast(last), ...(stays && { stays }) });
    }
    return { host, free, grants, isComplete: kept.length === 0 };
  }

  /** Returns the grants of all hosts. A host without a used route is removed as a whole. */
  #hosts(all: readonly { host: Host; grants: readonly Grant[]; isComplete: boolean }[]): readonly Grant[] {
    const kept = all.filter(({ isComplete }) => !isComplete).map(({ host }) => host.name);
    return all.flatMap(({ host, grants, isComplete }): readonly Grant[] => {
      if (!isComplete) return grants;
      const other = hostHeir(host.name, kept);
      const times = grants.flatMap(({ last }) => last ?? []);
      const last = times.length === 0 ? undefined : Math.max(...times);
      const stays = kept.length === 0 ? 'no request used any host of the policy' : other && requestsTo(other);
      const text = `host ${host.name} with ${grants.map((it) => it.text).join('; ')}`;
      const from = { host: host.name };
      const namesLog = this.#loaded.policy.gateway.audit?.host === host.name;
      return [{ kind: 'host', at: host.at, text, from, namesLog, ...withLast(last), ...(stays && { stays }) }];
    });
  }

  /** Returns what no request used of the rule at a place. */
  #rule(rules: readonly Rule[]): readonly Grant[] {
    const [rule] = rules as [Rule];
    const names = rules.map(({ id }) => id).join(', ');
    if (this.#isFree(rules)) {
      const last = lastUse(this.#usage, rules);
      return [{ kind: 'rule', at: rule.at, text: `rule ${names}: ${ruleText(rule)}`, ...withLast(last) }];
    }
    if (rule.methods === undefined || rules.some((it) => this.#period.keeps(it))) return [];
    const lastOf = (method: string) => {
      const times = rules.flatMap(({ id }) => this.#usage.lastWith(id, method) ?? []);
      return times.length === 0 ? undefined : Math.max(...times);
    };
    const isUsed = (method: string) => {
      const last = lastOf(method);
      return last !== undefined && last >= this.#period.since;
    };
    // A rule for GET also covers HEAD, which need not be written.
    const listed = rule.methods.filter((method) => method !== 'HEAD' || !rule.methods?.includes('GET'));
    const unused = listed.filter((method) => !isUsed(method));
    if (unused.length === 0 || unused.length === listed.length) return [];
    const times = unused.flatMap((method) => lastOf(method) ?? []);
    const text = `${unused.join(' ')} of rule ${names}: ${ruleText(rule)}`;
    return [
      {
        kind: 'methods',
        at: rule.at,
        text,
        methods: unused,
        ...withLast(times.length === 0 ? undefined : Math.max(...times)),
      },
    ];
  }
}
