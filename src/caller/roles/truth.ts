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
import { type FactReading, leaves, type RoleOf } from '../../policy/facts/walk.ts';
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

/** A fact about how or when the person signed in. */
export type SigninFact = Extract<Leaf, { op: 'acr' | 'max_age' }>;

/** What facts require of the sign-in, in the policy's order. A step-up cannot make a negated fact true. */
export const requestedOfSignin = (roleOf: RoleOf): FactReading<Fact, readonly SigninFact[]> =>
  leaves(roleOf, SIGNIN, false);

/** Whether the person signed in as a fact requires. The provider that the fact names is not compared. */
export const signedInSo = (fact: SigninFact, context: CallerFactContext): Truth =>
  (evaluations[fact.op] as Evaluation<SigninFact>).truth(fact, context);

/** Whether the sign-in already meets all requirements: every maximum age, and one of the accepted methods.
 * @param isSo whether the person signed in as one fact requires; the provider that the fact names is not compared */
export function isSatisfied(requested: readonly SigninFact[], isSo: (fact: SigninFact) => boolean): boolean {
  const ways = requested.filter(({ op }) => op === 'acr');
  return requested.every((fact) => fact.op === 'acr' || isSo(fact)) && (ways.length === 0 || ways.some(isSo));
}
