import { covers } from '../../rules/cover.ts';
import type { Path, Rule } from '../../rules/types.ts';
import { coversMethod, NAMED, REST } from './methods.ts';

/** The callers that a rule allows, as a mesh sees them. Two values with the same name stand for the same callers. */
interface Named {
  readonly name: string;
}

/** For each method, the callers that reach a path. {@link REST} stands for the methods that cannot be named. */
export type Reach<T extends Named> = ReadonlyMap<string, readonly T[]>;

export const METHODS: readonly string[] = [...NAMED, REST];

/** A text that is equal for equal callers. */
export const textOf = (people: readonly Named[]): string => people.map(({ name }) => name).join(' ');

/** Whether the same callers have access in both, with each method. */
export const sameReach = (a: Reach<Named>, b: Reach<Named>): boolean =>
  METHODS.every((method) => textOf(a.get(method) ?? []) === textOf(b.get(method) ?? []));

export const NOBODY: Reach<never> = new Map(METHODS.map((method) => [method, []]));

function byName<T extends Named>(people: Iterable<T>): readonly T[] {
  const unique = new Map([...people].map((one) => [one.name, one]));
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The callers that at least one of the two allows. */
export function union<T extends Named>(a: Reach<T>, b: Reach<T>): Reach<T> {
  return new Map(METHODS.map((method) => [method, byName([...(a.get(method) ?? []), ...(b.get(method) ?? [])])]));
}

/** A rule, and the callers that it allows. */
interface Passing<T extends Named> {
  readonly methods?: readonly string[];
  readonly one: T;
}

/** Rules, grouped by path because most rules of a policy share the path of their route. */
export class Paths<T extends Named> {
  readonly #routes: ReadonlyMap<Path, readonly Passing<T>[]>;

  private constructor(routes: ReadonlyMap<Path, readonly Passing<T>[]>) {
    this.#routes = routes;
  }

  /** @param who returns the callers that a rule allows */
  static of<T extends Named, R extends Rule>(rules: readonly R[], who: (rule: R) => T): Paths<T> {
    const routes = new Map<Path, Passing<T>[]>();
    for (const rule of rules) {
      const passing = { ...(rule.methods && { methods: rule.methods }), one: who(rule) };
      const own = routes.get(rule.path);
      if (own === undefined) routes.set(rule.path, [passing]);
      else own.push(passing);
    }
    return new Paths(routes);
  }

  get all(): Iterable<Path> {
    return this.#routes.keys();
  }

  /** The callers that the rules allow at a path. */
  at(path: string): Reach<T> {
    const rules = [...this.#routes].flatMap(([own, rules]) => (covers(own, path) ? rules : []));
    const people = (method: string) => rules.filter((rule) => coversMethod(rule, method)).map(({ one }) => one);
    return new Map(METHODS.map((method) => [method, byName(people(method))]));
  }
}
