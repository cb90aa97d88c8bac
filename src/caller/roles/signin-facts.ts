import { evaluations, type Fact, type Leaf } from '../../policy/facts/index.ts';
import { type Evaluation, SIGNIN, type Truth } from '../../policy/facts/operator.ts';
import { type FactReading, leaves, type RoleOf } from '../../policy/facts/walk.ts';
import type { CallerFactContext } from './truth.ts';

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
