import type { Evaluate, FactContext, Truth, Valued } from './operator.ts';

export type RoleFact = Valued<'role'>;

/** Evaluates each role once. The result is unknown if the role does not exist or depends on itself. */
export function evaluateRole<F>(name: string, context: FactContext<F>, evaluate: Evaluate<F>): Truth {
  context.known ??= new Map();
  const { known, roles } = context;
  const found = known.get(name);
  if (found !== undefined || known.has(name)) return found;
  // If the role depends on itself, the inner evaluation finds this value.
  known.set(name, undefined);
  const fact = roles.get(name);
  if (fact === undefined) return undefined;
  const truth = evaluate(fact, context);
  known.set(name, truth);
  return truth;
}
