import { combinedTruth } from '../../policy/facts/combined.ts';
import { evaluations, type Fact, type Leaf } from '../../policy/facts/index.ts';
import {
  type FactContext as Context,
  type Evaluation,
  REQUEST,
  SIGNIN,
  type Truth,
} from '../../policy/facts/operator.ts';
import { evaluateRole } from '../../policy/facts/role.ts';
import type { Verified } from '../../token/types.ts';

export type { Truth } from '../../policy/facts/operator.ts';

export interface CallerFactContext extends Context<Fact> {
  /** If set, returns the truth of each fact about the token, so that no token is needed. */
  readonly given?: ((fact: Leaf) => Truth) | undefined;
}

/** The input for facts about a token. An anonymous caller has such an input too, without a token. */
export type TokenContext = CallerFactContext & { readonly verified: Verified };

export function factTruth(fact: Fact, context: CallerFactContext): Truth {
  switch (fact.op) {
    case 'role':
      return evaluateRole(fact.value, context, factTruth);
    case 'any':
    case 'all':
    case 'none':
      return combinedTruth(fact, context, factTruth);
  }
  const { on, truth } = evaluations[fact.op] as Evaluation<Leaf>;
  if ((on & REQUEST) === 0) {
    if (context.given !== undefined) return context.given(fact);
    const { provider } = fact as { readonly provider?: string };
    if (provider !== undefined && provider !== context.verified.provider) return undefined;
    if ((on & SIGNIN) !== 0 && (context.signin === undefined || context.signin.assumed)) return context.signin && true;
  }
  return truth(fact, context);
}

/** Returns whether the caller has a role: unknown if the role does not exist or depends on itself. */
export const roleTruth = (name: string, context: CallerFactContext): Truth => evaluateRole(name, context, factTruth);
