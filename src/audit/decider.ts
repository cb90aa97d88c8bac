import type { Ruled } from '../rules/at-ingress.ts';
import { decide } from '../rules/decide.ts';
import { type Match, match } from '../rules/match.ts';
import type { Decision, Rule } from '../rules/types.ts';
import type { Asked } from './caller.ts';

/** Maximum number of routes or decisions that are remembered, because clients choose paths and methods. */
const MAX_KNOWN = 20_000;

const none: readonly Rule[] = Object.freeze([]);

class Known<T> {
  readonly #known = new Map<string, T>();

  get(key: string, make: () => T): T {
    let value = this.#known.get(key);
    if (value === undefined) {
      value = make();
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, value);
    }
    return value;
  }
}

/** Decides the requests of many lines by one policy. */
export class Decider {
  readonly ruled: Ruled;
  readonly #rules = new Map<string, Rule[]>();
  readonly #ids: ReadonlyMap<string, Rule>;
  readonly #routes = new Known<Match>();
  readonly #decisions = new Known<Decision>();

  constructor(ruled: Ruled) {
    this.ruled = ruled;
    this.#ids = new Map(ruled.rules.map((rule) => [rule.id, rule]));
    for (const rule of ruled.rules) {
      const own = this.#rules.get(rule.route);
      if (own === undefined) this.#rules.set(rule.route, [rule]);
      else own.push(rule);
    }
  }

  rule(id: string): Rule | undefined {
    return this.#ids.get(id);
  }

  /** Returns the rules of a route, in the policy's order. */
  rules(route: string): readonly Rule[] {
    return this.#rules.get(route) ?? none;
  }

  /** Returns the route of a request. */
  match(host: string, path: string): Match {
    return this.#routes.get(`${host} ${path}`, () => match(this.ruled.policy.hosts, host, path));
  }

  /** Decides a request to a route. Equal requests are decided once. */
  decide(route: string, asked: Asked): Decision {
    const { method, caller, mcp } = asked;
    const who =
      caller === null
        ? ''
        : `${caller.agent ?? ''} ${caller.alone === true} ${caller.nobody === true} ${caller.roles.join(',')}`;
    const sent = caller?.agent === undefined || mcp === undefined ? '' : JSON.stringify(mcp);
    return this.#decisions.get(`${route} ${method} ${who} ${sent}`, () => this.assuming(route, asked));
  }

  /** Decides a request whose caller has more properties than a line shows. */
  assuming(route: string, { method, caller, mcp }: Asked): Decision {
    return decide(this.rules(route), caller, { route, method, ...(mcp && { mcp }) });
  }
}
