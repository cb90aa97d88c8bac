import type { Evaluate, FactContext, Placed, Truth } from './operator.ts';

/** Another role of the policy. */
export interface RoleFact extends Placed {
  readonly op: 'role';
  readonly value: string;
}

/** Whether a role is held, evaluated once. Unknown if there is no such role, or if it depends on itself. */
export function roleTruth<F>(name: string, context: FactContext<F>, evaluate: Evaluate<F>): Truth {
  context.known ??= new Map();
  const { known, roles } = context;
  const found = known.get(name);
  if (found !== undefined || known.has(name)) return found;
  // A role that depends on itself finds this value.
  known.set(name, undefined);
  const fact = roles.get(name);
  if (fact === undefined) return undefined;
  const truth = evaluate(fact, context);
  known.set(name, truth);
  return truth;
}
