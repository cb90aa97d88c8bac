import type { Evaluate, FactContext, Placed, Truth } from './operator.ts';

/** One fact is true (`any`), all are, or none is. `none` is unknown if a part is unknown and no part is true. */
export interface Combined<F> extends Placed {
  readonly op: 'any' | 'all' | 'none';
  readonly facts: readonly F[];
}

/** The operators with inner facts, in the order of the schema. */
export const COMBINED = ['any', 'all', 'none'] as const;

/** The first true part decides `any` and `none`, the first false part `all`. Without parts the result is unknown. */
export function combinedTruth<F>({ op, facts }: Combined<F>, context: FactContext<F>, evaluate: Evaluate<F>): Truth {
  const deciding = op !== 'all';
  let unknown = facts.length === 0;
  for (let i = 0; i < facts.length; i++) {
    const truth = evaluate(facts[i] as F, context);
    if (truth === deciding) return op === 'any';
    unknown ||= truth === undefined;
  }
  return unknown ? undefined : op !== 'any';
}
