import { hostNamed } from '../../base/host-name.ts';
import type { Route } from '../../policy/checked/types.ts';
import type { Ruled } from '../../rules/decide/at-ingress.ts';
import { decide } from '../../rules/decide/decide.ts';
import { type Match, match } from '../../rules/decide/match.ts';
import { parseTarget } from '../../rules/decide/target.ts';
import type { Decision, Rule } from '../../rules/types.ts';
import { CUT, isCut } from '../lines/line.ts';
import type { Requested } from '../lines/logged-caller.ts';

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

  /** Returns the routes to which a request can have led whose host or path may be cut: at most one if they are whole. */
  routesOf(host: string, path: string): readonly string[] {
    const { hosts } = this.ruled.policy;
    if (isCut(host)) return hosts.flatMap(({ routes }) => routes.map(({ name }) => name));
    if (!isCut(path)) {
      const found = this.match(host, path);
      return 'reason' in found ? [] : [found.route.name];
    }
    const { routes = [] } = hostNamed(hosts, host.toLowerCase()) ?? {};
    return routesBelow(routes, path.slice(0, path.indexOf(CUT))).map(({ name }) => name);
  }

  /** Decides a request to a route. Equal requests are decided once. */
  decide(route: string, requested: Requested): Decision {
    const { method, caller, mcp } = requested;
    const who =
      caller === null
        ? ''
        : `${caller.agent ?? ''} ${caller.alone === true} ${caller.nobody === true} ${caller.roles.join(',')}`;
    const sent = caller?.agent === undefined || mcp === undefined ? '' : JSON.stringify(mcp);
    return this.#decisions.get(`${route} ${method} ${who} ${sent}`, () => this.assuming(route, requested));
  }

  /** Decides a request whose caller has more properties than a line shows. */
  assuming(route: string, { method, caller, mcp }: Requested): Decision {
    return decide(this.rules(route), caller, { route, method, ...(mcp && { mcp }) });
  }
}

/** Returns the routes that a path can have of which only the beginning is known: the longest prefix that contains the
 * beginning, and every route that begins with it. */
function routesBelow(routes: readonly Route[], start: string): readonly Route[] {
  // An escape can be cut, too.
  const begin = parseTarget(start.replace(/%[0-9A-Fa-f]?$/, ''))?.path;
  if (begin === undefined) return routes;
  const longer = routes.filter(({ path }) => `${path}/`.startsWith(begin));
  const around = routes.filter(({ kind, path }) => kind === 'prefix' && begin.startsWith(`${path}/`));
  const [nearest] = around.sort((a, b) => b.path.length - a.path.length);
  return nearest === undefined || longer.includes(nearest) ? longer : [nearest, ...longer];
}
