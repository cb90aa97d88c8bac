import type { Evaluate, FactContext, Placed, Truth } from './operator.ts';

/** One of these, all, or none of them; `none` is unknown where one that is not true is unknown. */
export interface Combined<F> extends Placed {
  readonly op: 'any' | 'all' | 'none';
  readonly facts: readonly F[];
}

/** The facts that are made of others, in the order of the schema. */
export const COMBINED = ['any', 'all', 'none'] as const;

/** The first part that is true decides `any` and `none`, the first that is false `all`. Of no parts, nothing is known. */
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
