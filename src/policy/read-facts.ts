import type { DraftFact, DraftPolicy } from './draft.ts';
import type { Fact } from './types.ts';

/** What a reader makes of facts, from the innermost outwards. */
export interface FactReader<F, T> {
  /** Of a fact that is made of no others. */
  readonly leaf: (fact: F) => T;
  /** Of a fact that is made of others, by what came of them. */
  readonly sum: (op: 'any' | 'all' | 'none', parts: readonly T[]) => T;
  /** Of a role, by what came of its fact; absent: the same. */
  readonly role?: (name: string, inner: T) => T;
  /** Of a fact or role that there is not. */
  readonly missing: T;
}

/** What came of one policy's facts. */
export interface FactReading<F, T> {
  readonly fact: (fact: F | undefined) => T;
  readonly role: (name: string) => T;
}

/** What a fact is made of. */
type Shape<F> =
  | { readonly role: string }
  | { readonly op: 'any' | 'all' | 'none'; readonly parts: readonly (F | undefined)[] };

/**
 * Reads facts and the roles that they name. Each is read once, however often others name it: the work grows with the
 * policy, and not with the number of ways through it.
 */
function reading<F, T>(
  shapeOf: (fact: F) => Shape<F> | undefined,
  factOf: (role: string) => F | undefined,
  reader: FactReader<F, T>,
): FactReading<F, T> {
  const known = new Map<unknown, T>();
  const once = (key: unknown, make: () => T): T => {
    if (known.has(key)) return known.get(key) as T;
    // A role that rests on itself finds this.
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

/** The fact behind a role's name. */
export type RoleOf = (name: string) => Fact | undefined;

function shapeOf(fact: Fact): Shape<Fact> | undefined {
  if (fact.op === 'role') return { role: fact.value };
  return 'facts' in fact ? { op: fact.op, parts: fact.facts } : undefined;
}

/** {@link reading} of a checked policy. */
export const readFacts = <T>(roleOf: RoleOf, reader: FactReader<Fact, T>): FactReading<Fact, T> =>
  reading(shapeOf, roleOf, reader);

/** Whether a fact, or one that it is made of, is one of these. */
export const restingOn = (roleOf: RoleOf, ops: readonly Fact['op'][]): FactReading<Fact, boolean> =>
  readFacts(roleOf, {
    leaf: ({ op }) => ops.includes(op),
    sum: (_, parts) => parts.includes(true),
    missing: false,
  });

function draftShape(fact: DraftFact): Shape<DraftFact> | undefined {
  if (typeof fact === 'string') return { role: fact };
  if (fact.all) return { op: 'all', parts: fact.all };
  if (fact.any) return { op: 'any', parts: fact.any };
  return fact.none && { op: 'none', parts: fact.none };
}

/** {@link reading} of a draft, the same for all that ask. */
export function draftReader<T>(
  reader: (draft: DraftPolicy) => FactReader<DraftFact, T>,
): (draft: DraftPolicy) => FactReading<DraftFact, T> {
  const made = new WeakMap<DraftPolicy, FactReading<DraftFact, T>>();
  return (draft) => {
    const read = made.get(draft) ?? reading(draftShape, (role) => draft.roles?.[role], reader(draft));
    made.set(draft, read);
    return read;
  };
}
