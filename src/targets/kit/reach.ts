import { covers } from '../../rules/compare/cover.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Path, Rule } from '../../rules/types.ts';
import { coversMethod, NAMED, REST } from './methods.ts';
import { grouped } from './rules.ts';

/** The callers that a rule allows, as a mesh sees them. Two values with the same name stand for the same callers. */
interface Named {
  readonly name: string;
}

/** For each method, the callers that reach a path. {@link REST} stands for the methods that cannot be named. */
export type Reach<T extends Named> = ReadonlyMap<string, readonly T[]>;

export const MESH_METHODS: readonly string[] = [...NAMED, REST];

/** A text that is equal for equal callers. */
export const namesKey = (people: readonly Named[]): string => people.map(({ name }) => name).join(' ');

/** Whether the same callers have access in both, with each method. */
export const sameReach = (a: Reach<Named>, b: Reach<Named>): boolean =>
  MESH_METHODS.every((method) => namesKey(a.get(method) ?? []) === namesKey(b.get(method) ?? []));

export const NO_CALLERS: Reach<never> = new Map(MESH_METHODS.map((method) => [method, []]));

function byName<T extends Named>(people: Iterable<T>): readonly T[] {
  const unique = new Map([...people].map((one) => [one.name, one]));
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The callers that at least one of the two allows. */
export const union = <T extends Named>(a: Reach<T>, b: Reach<T>): Reach<T> =>
  new Map(MESH_METHODS.map((method) => [method, byName([...(a.get(method) ?? []), ...(b.get(method) ?? [])])]));

/** Rules with their callers, grouped by path, because most rules share the path of their route. */
export class RulesByPath<T extends Named> {
  readonly #routes: ReadonlyMap<Path, readonly { readonly rule: Rule; readonly one: T }[]>;

  /** @param who returns the callers that a rule allows */
  constructor(rules: readonly Enforced[], who: (rule: Enforced) => readonly T[]) {
    const passing = rules.flatMap((rule) => who(rule).map((one) => ({ rule, one })));
    this.#routes = grouped(passing, ({ rule }) => rule.path);
  }

  get all(): Iterable<Path> {
    return this.#routes.keys();
  }

  /** The callers that the rules allow at a path. */
  at(path: string): Reach<T> {
    const passing = [...this.#routes].flatMap(([own, some]) => (covers(own, path) ? some : []));
    const people = (method: string) => passing.flatMap(({ rule, one }) => (coversMethod(rule, method) ? one : []));
    return new Map(MESH_METHODS.map((method) => [method, byName(people(method))]));
  }
}
