import type { Combined } from './combined.ts';
import { evaluations, type Fact, type Leaf } from './index.ts';

/** Computes a value from facts, beginning with the innermost ones. */
export interface FactReader<L, T> {
  readonly leaf: (fact: L) => T;
  /** The value of a fact with inner facts, computed from their values. */
  readonly sum: (op: Combined<unknown>['op'], parts: readonly T[]) => T;
  /** The value of a role, computed from the value of its fact. Absent: both values are the same. */
  readonly role?: (name: string, inner: T) => T;
  /** The value of a fact or role that does not exist. */
  readonly missing: T;
}

export interface FactReading<F, T> {
  readonly fact: (fact: F | undefined) => T;
  readonly role: (name: string) => T;
}

/** The parts of a fact: the role that it names, or inner facts. */
export type Shape<F> =
  | { readonly role: string }
  | { readonly op: Combined<F>['op']; readonly parts: readonly (F | undefined)[] };

/** Computes values of facts and roles. Each role is read once, so the work grows only with the size of the policy. */
export function reading<F, T>(
  shapeOf: (fact: F) => Shape<F> | undefined,
  factOf: (role: string) => F | undefined,
  reader: FactReader<F, T>,
): FactReading<F, T> {
  const known = new Map<unknown, T>();
  const once = (key: unknown, make: () => T): T => {
    if (known.has(key)) return known.get(key) as T;
    // If the role depends on itself, the inner evaluation finds this value.
    known.set(key, reader.missing);
    const made = make();
    known.set(key, made);
    return made;
  };
  const ofFact = (fact: F | undefined): T => {
    if (fact === undefined) return reader.missing;
    const shape = shapeOf(fact);
    if (shape === undefined) return reader.leaf(fact);
    if ('role' in shape) return ofRole(shape.role);
    return once(fact, () => reader.sum(shape.op, shape.parts.map(ofFact)));
  };
  const ofRole = (name: string): T =>
    once(name, () => {
      const inner = ofFact(factOf(name));
      return reader.role === undefined ? inner : reader.role(name, inner);
    });
  return { fact: ofFact, role: ofRole };
}

export type RoleOf = (name: string) => Fact | undefined;

function shapeOf(fact: Fact): Shape<Fact> | undefined {
  if (fact.op === 'role') return { role: fact.value };
  return 'facts' in fact ? { op: fact.op, parts: fact.facts } : undefined;
}

/** {@link reading} for a checked policy. */
export const readFacts = <T>(roleOf: RoleOf, reader: FactReader<Leaf, T>): FactReading<Fact, T> =>
  reading(shapeOf, roleOf, reader as FactReader<Fact, T>);

export function dependsOn({ op }: Leaf): number {
  const evaluation = evaluations[op];
  if (evaluation === undefined) throw new Error(`no operator ${op}`);
  return evaluation.on;
}

/** {@link dependsOn}, for a fact and all facts inside it. */
export const dependencies = (roleOf: RoleOf): FactReading<Fact, number> =>
  readFacts(roleOf, { leaf: dependsOn, sum: (_, parts) => parts.reduce((all, part) => all | part, 0), missing: 0 });

const nothing: readonly never[] = Object.freeze([]);

/** The innermost facts that depend on all `wanted` bits, each once, in the order of the policy. `negated` says whether
 * facts inside `none` are included. */
export const leaves = <L extends Leaf>(
  roleOf: RoleOf,
  wanted: number,
  negated: boolean,
): FactReading<Fact, readonly L[]> =>
  readFacts<readonly L[]>(roleOf, {
    leaf: (fact) => ((dependsOn(fact) & wanted) === wanted ? [fact as L] : nothing),
    sum: (op, parts) => {
      const some = op === 'none' && !negated ? nothing : parts.filter((part) => part.length > 0);
      return some.length < 2 ? (some[0] ?? nothing) : [...new Set(some.flat())];
    },
    missing: nothing,
  });

/** A fact and all facts inside it. The facts of roles that it names are not included. */
export const everyFact = (fact: Fact): readonly Fact[] =>
  'facts' in fact ? [fact, ...fact.facts.flatMap(everyFact)] : [fact];
