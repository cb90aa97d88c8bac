import type { Implied } from './implied.ts';
import type { Rule } from './types.ts';

/** Who asks: nobody, or somebody with exactly these roles. */
export type Asking = { readonly roles: readonly string[] } | null;

/** How two sides decide for one caller; a side without a rule refuses. */
export interface Parting {
  readonly caller: Asking;
  /** Those of the caller's roles that the rules name; the others come with them. */
  readonly named: readonly string[];
  readonly left?: Rule;
  readonly right?: Rule;
}

/** What a rule that allows comes to: rules with the same text are the same to a caller. */
export type Outcome = (rule: Rule) => string;

/** Whom the rules of one cell allow. Positions count in their order; the number of rules stands for a refusal. */
class Order {
  readonly rules: readonly Rule[];
  readonly roles = new Map<string, number>();
  readonly nobody: number;
  readonly somebody: number;

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    const first = (kinds: readonly string[]) => {
      const index = rules.findIndex(({ who }) => kinds.includes(who.kind));
      return index < 0 ? rules.length : index;
    };
    this.nobody = first(['anyone']);
    this.somebody = first(['anyone', 'authenticated']);
    rules.forEach(({ who }, index) => {
      if (who.kind === 'role' && !this.roles.has(who.role)) this.roles.set(who.role, index);
    });
  }

  /** The first rule for somebody with these roles. */
  position(roles: Iterable<string>): number {
    let first = this.somebody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }
}

function sameLists(
  left: readonly Rule[],
  right: readonly Rule[],
  leftOutcome: Outcome,
  rightOutcome: Outcome,
): boolean {
  const sameWho = (a: Rule, b: Rule) =>
    a.who.kind === b.who.kind && (a.who.kind !== 'role' || b.who.kind !== 'role' || a.who.role === b.who.role);
  return (
    left.length === right.length &&
    left.every((rule, i) => sameWho(rule, right[i] as Rule) && leftOutcome(rule) === rightOutcome(right[i] as Rule))
  );
}

/** One cell's rules on two sides, compared caller by caller. */
class Pair {
  readonly left: Order;
  readonly right: Order;
  /** Per role that a rule names: its first positions, and the roles that come with it. */
  readonly roles: readonly {
    readonly role: string;
    readonly all: readonly string[];
    readonly left: number;
    readonly right: number;
  }[];
  readonly #outcomes: readonly [readonly string[], readonly string[]];

  constructor(left: Order, right: Order, outcomes: readonly [Outcome, Outcome], implied: Implied) {
    this.left = left;
    this.right = right;
    this.roles = [...new Set([...left.roles.keys(), ...right.roles.keys()])].map((role) => {
      const all = [...implied(role)];
      return { role, all, left: left.position(all), right: right.position(all) };
    });
    this.#outcomes = [left.rules.map(outcomes[0]), right.rules.map(outcomes[1])];
  }

  at(named: readonly string[], caller: () => Asking, left: number, right: number): Parting | undefined {
    if (this.#outcomes[0][left] === this.#outcomes[1][right]) return undefined;
    const [leftRule, rightRule] = [this.left.rules[left], this.right.rules[right]];
    return { caller: caller(), named, ...(leftRule && { left: leftRule }), ...(rightRule && { right: rightRule }) };
  }
}

/** Somebody with one role, or with two, and what comes with them. */
function* withRoles(pair: Pair): Generator<Parting | undefined> {
  for (const { role, all, left, right } of pair.roles) yield pair.at([role], () => ({ roles: all }), left, right);
  for (const [i, a] of pair.roles.entries()) {
    for (const b of pair.roles.slice(i + 1)) {
      const roles = () => ({ roles: [...new Set([...a.all, ...b.all])] });
      yield pair.at([a.role, b.role], roles, Math.min(a.left, b.left), Math.min(a.right, b.right));
    }
  }
}

/**
 * Callers for whom the rules of one cell differ: nobody, somebody without a role, with one, with two, in this order.
 *
 * More than two roles tell nothing apart that two do not: where a caller with many roles parts the sides, one of them
 * decides on the left and one on the right (or none does), each the first in its order, and stays the first if only
 * these two are left. So this finds a caller if there is any.
 *
 * @param outcomes what rules of the left and of the right come to
 */
export function* partings(
  left: readonly Rule[],
  right: readonly Rule[],
  outcomes: readonly [Outcome, Outcome],
  implied: Implied,
): Generator<Parting> {
  if (sameLists(left, right, ...outcomes)) return;
  const pair = new Pair(new Order(left), new Order(right), outcomes, implied);
  const first = [
    pair.at([], () => null, pair.left.nobody, pair.right.nobody),
    pair.at([], () => ({ roles: [] }), pair.left.somebody, pair.right.somebody),
  ];
  for (const parting of first) if (parting !== undefined) yield parting;
  for (const parting of withRoles(pair)) if (parting !== undefined) yield parting;
}
