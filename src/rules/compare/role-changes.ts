import type { Fact, Policy } from '../../policy/checked/types.ts';
import { factText } from '../../policy/facts/describe.ts';
import { everyFact } from '../../policy/facts/walk.ts';

/** Whether a changed fact is true for more or for fewer callers, and the parts of the fact that changed. */
export interface Effect {
  readonly kind: 'wider' | 'narrower' | 'other';
  readonly of: 'any' | 'all';
  readonly came: readonly string[];
  readonly went: readonly string[];
}

const partsOf = (fact: Fact, op: 'any' | 'all'): readonly string[] =>
  (fact.op === op ? fact.facts : [fact]).map(factText);

/** Returns the effect of a change; undefined unless the two facts have parts in common. */
export function effectOf(before: Fact, after: Fact): Effect | undefined {
  for (const op of ['any', 'all'] as const) {
    const [was, is] = [partsOf(before, op), partsOf(after, op)];
    const [old, fresh] = [new Set(was), new Set(is)];
    const came = is.filter((it) => !old.has(it));
    const went = was.filter((it) => !fresh.has(it));
    if (went.length === was.length || came.length + went.length === 0) continue;
    const more = op === 'any' ? came : went;
    const kind = came.length > 0 && went.length > 0 ? 'other' : more.length > 0 ? 'wider' : 'narrower';
    return { kind, of: op, came, went };
  }
  return undefined;
}

const rolesIn = (fact: Fact): readonly string[] =>
  everyFact(fact).flatMap((part) => (part.op === 'role' ? part.value : []));

function madeDirectly({ roles }: Policy): ReadonlyMap<string, readonly string[]> {
  const made = new Map<string, string[]>();
  for (const { name, fact } of Object.values(roles)) {
    for (const role of new Set(rolesIn(fact))) {
      const names = made.get(role) ?? [];
      names.push(name);
      made.set(role, names);
    }
  }
  return made;
}

/** Returns the roles that include a role, directly or through others. */
export function madeOf(policy: Policy): (role: string) => ReadonlySet<string> {
  const made = madeDirectly(policy);
  return (role) => {
    const found = new Set<string>();
    const visit = (name: string): void => {
      for (const other of made.get(name) ?? []) {
        if (found.has(other)) continue;
        found.add(other);
        visit(other);
      }
    };
    visit(role);
    return found;
  };
}
