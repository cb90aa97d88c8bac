import { type HostAtom, hostAtoms, hostOf, type MethodAtom, methodAtoms, type PathAtom, pathAtoms } from './atoms.ts';
import { covers } from './cover.ts';
import { hasMethod } from './decide.ts';
import type { Path, Rule } from './types.ts';

/** Requests that differ only in the caller, with the rules of each side for them. The rules keep their order. */
export interface Cell<R extends Rule = Rule> {
  readonly host: HostAtom;
  readonly path: PathAtom;
  readonly method: MethodAtom;
  readonly left: readonly R[];
  readonly right: readonly R[];
}

/** The rules that have the same paths. */
interface Route<R> {
  readonly path: Path;
  readonly rules: R[];
}

/** Groups rules by path. Rules of one route of a policy share the path object; rules that were read from a mesh have
 * equal ones. */
function byPath<R extends Rule>(rules: readonly R[]): readonly Route<R>[] {
  const objects = new Map<Path, Route<R>>();
  const texts = new Map<string, Route<R>>();
  for (const rule of rules) {
    let route = objects.get(rule.path);
    if (route === undefined) {
      const text = JSON.stringify(rule.path);
      route = texts.get(text) ?? { path: rule.path, rules: [] };
      texts.set(text, route);
      objects.set(rule.path, route);
    }
    route.rules.push(rule);
  }
  return [...texts.values()];
}

/** The rules of each host of a side. */
class Hosts<R extends Rule> {
  readonly #routes = new Map<string, readonly Route<R>[]>();
  readonly #names: readonly string[];

  constructor(rules: readonly R[]) {
    this.#names = [...new Set(rules.map((rule) => rule.host))];
    for (const name of this.#names) this.#routes.set(name, byPath(rules.filter((rule) => rule.host === name)));
  }

  routes(host: string): readonly Route<R>[] {
    return this.#routes.get(hostOf(this.#names, host) ?? '') ?? [];
  }
}

function at<R>(routes: readonly Route<R>[], path: string): readonly R[] {
  return routes.flatMap((route) => (covers(route.path, path) ? route.rules : []));
}

/** Divides all requests into the cells that two lists of rules distinguish, without regard to the caller. Every request
 * that one of the lists can allow is in exactly one cell. All requests of a cell with the same caller get the same
 * decision. */
export function* cells<R extends Rule>(left: readonly R[], right: readonly R[]): Generator<Cell<R>> {
  const methods = methodAtoms([...left, ...right]);
  const [leftHosts, rightHosts] = [new Hosts(left), new Hosts(right)];
  for (const host of hostAtoms([...left, ...right])) {
    const [leftRoutes, rightRoutes] = [leftHosts.routes(host.host), rightHosts.routes(host.host)];
    for (const path of pathAtoms([...leftRoutes, ...rightRoutes].map((route) => route.path))) {
      const [leftRules, rightRules] = [at(leftRoutes, path.path), at(rightRoutes, path.path)];
      if (leftRules.length === 0 && rightRules.length === 0) continue;
      for (const method of methods) {
        const has = (rule: Rule) => hasMethod(rule, method.method);
        yield { host, path, method, left: leftRules.filter(has), right: rightRules.filter(has) };
      }
    }
  }
}
