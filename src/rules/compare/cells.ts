import { hasMethod } from '../decide/decide.ts';
import type { Path, Rule } from '../types.ts';
import { type HostAtom, hostAtoms, hostOf, type MethodAtom, methodAtoms, type PathAtom, pathAtoms } from './atoms.ts';
import { covers } from './cover.ts';

/** A set of requests that differ only in the caller, with the rules of each side, in their order. */
export interface Cell<R extends Rule = Rule> {
  readonly host: HostAtom;
  readonly path: PathAtom;
  readonly method: MethodAtom;
  readonly left: readonly R[];
  readonly right: readonly R[];
}

interface Route<R> {
  readonly path: Path;
  readonly rules: R[];
}

/** Groups rules by path. Rules of one route share one path object; those from a mesh have equal objects. */
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

function routesOf<R extends Rule>(rules: readonly R[]): (host: string) => readonly Route<R>[] {
  const names = [...new Set(rules.map((rule) => rule.host))];
  const routes = new Map(names.map((name) => [name, byPath(rules.filter((rule) => rule.host === name))]));
  return (host) => routes.get(hostOf(names, host) ?? '') ?? [];
}

const at = <R>(routes: readonly Route<R>[], path: string): readonly R[] =>
  routes.flatMap((route) => (covers(route.path, path) ? route.rules : []));

/** Divides all requests into the cells that two lists of rules distinguish, without regard to the caller. Each request
 * that one list can allow is in exactly one cell. A caller gets the same decision for all requests of a cell. */
export function* cells<R extends Rule>(left: readonly R[], right: readonly R[]): Generator<Cell<R>> {
  const methods = methodAtoms([...left, ...right]);
  const [leftOf, rightOf] = [routesOf(left), routesOf(right)];
  for (const host of hostAtoms([...left, ...right])) {
    const [leftRoutes, rightRoutes] = [leftOf(host.host), rightOf(host.host)];
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
