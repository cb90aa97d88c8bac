import { hasMethod, isWho, travelling } from '../../rules/decide/decide.ts';
import type { Rule } from '../../rules/types.ts';
import { stageOf } from '../lines/decided-by.ts';
import { isCut, type LogLine } from '../lines/line.ts';
import { type Requested, requestedBy } from '../lines/logged-caller.ts';
import type { Decider } from './decider.ts';

/** Stands for every method: it is not known which one a request had. */
const ANY = '*';

/** What the log shows about a rule. */
interface Use {
  requests: number;
  /** The time of the last request, in milliseconds since the epoch. */
  last: number;
  /** The last request with each method. */
  readonly methods: Map<string, number>;
}

/** Counts which rules of a policy the requests of a log used. */
export class Usage {
  requests = 0;
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;
  /** The number of allowed requests that the policy now denies. They use no rule. */
  denied = 0;
  readonly #decider: Decider;
  readonly #digest: string;
  readonly #uses = new Map<string, Use>();

  /** @param digest the digest of the policy. A line with this digest names the rule that allowed the request */
  constructor(decider: Decider, digest: string) {
    this.#decider = decider;
    this.#digest = digest;
  }

  add(line: LogLine): void {
    const time = Date.parse(line.time);
    this.requests += 1;
    this.first = Math.min(this.first, time);
    this.last = Math.max(this.last, time);
    const stage = stageOf(line);
    if (stage !== 'later' && !(stage === 'rules' && line.reason === '')) return;
    const own = line.policy === this.#digest ? this.#decider.rule(line.rule) : undefined;
    if (own !== undefined) this.#use(own, line.method, time);
    const all = requestedBy(line);
    const routes = own === undefined ? this.#decider.routesOf(line.host, line.path) : [line.route];
    if (typeof all === 'string' || isCut(line.path) || (own === undefined && isCut(line.host))) {
      // It is not known which rules such a request used, so it used all that it can have used.
      for (const route of routes) this.#useAll(route, time);
      return;
    }
    const [route = ''] = routes;
    // A role that the policy does not define can be the earlier name of a role that it defines.
    const isRenamed = line.roles.some((role) => !Object.hasOwn(this.#decider.ruled.policy.roles, role));
    for (const requested of all) this.#useOf(requested, route, time, own === undefined && all.length === 1, isRenamed);
  }

  #useAll(route: string, time: number): void {
    for (const rule of this.#decider.rules(route)) this.#use(rule, ANY, time);
  }

  /** @param counts whether a denial is counted
   * @param isRenamed whether the caller may have other roles of the policy than the line names */
  #useOf(requested: Requested, route: string, time: number, counts: boolean, isRenamed: boolean): void {
    const decision = this.#decider.decide(route, requested);
    if (!decision.allow) {
      if (counts) this.denied += 1;
      if (isRenamed) this.#useAll(route, time);
      return;
    }
    const { rule } = decision;
    this.#use(rule, requested.method, time);
    const { caller, method } = requested;
    if (rule.who.kind !== 'agent' || caller === null || caller.alone === true) return;
    // The request of an agent for a person also needs a rule that allows the person.
    const person = travelling(caller, rule.who.actsFor);
    const allows = (it: Rule) => it.who.kind !== 'agent' && hasMethod(it, method) && isWho(it.who, person);
    const own = this.#decider.rules(route).find(allows);
    if (own !== undefined) this.#use(own, method, time);
  }

  #use({ id }: Rule, method: string, time: number): void {
    let use = this.#uses.get(id);
    if (use === undefined) {
      use = { requests: 0, last: time, methods: new Map() };
      this.#uses.set(id, use);
    }
    use.requests += 1;
    use.last = Math.max(use.last, time);
    use.methods.set(method, Math.max(use.methods.get(method) ?? time, time));
  }

  /** Returns what the log shows about a rule; undefined if no request used it. */
  of(rule: string): Use | undefined {
    return this.#uses.get(rule);
  }

  /** Returns when a rule was last used with a method of the policy; GET includes HEAD. */
  lastWith(rule: string, method: string): number | undefined {
    const methods = this.#uses.get(rule)?.methods;
    const times = [method, ...(method === 'GET' ? ['HEAD'] : []), ANY].flatMap((it) => methods?.get(it) ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }
}
