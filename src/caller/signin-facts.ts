import { evaluations, type Fact, type Leaf } from '../policy/facts/index.ts';
import { type Evaluation, SIGNIN, type Truth } from '../policy/facts/operator.ts';
import { type FactReading, leaves, type RoleOf } from '../policy/facts/walk.ts';
import type { FactContext } from './truth.ts';

/** A fact about how or when the person signed in. */
export type SigninFact = Extract<Leaf, { op: 'acr' | 'max_age' }>;

/** What facts ask of the sign-in itself, in the policy's order; of what must not be, a step up makes nothing true. */
export const askedOfSignin = (roleOf: RoleOf): FactReading<Fact, readonly SigninFact[]> =>
  leaves(roleOf, SIGNIN, false);

/** Whether the person signed in so, whatever provider the fact is about. */
export const signedInSo = (fact: SigninFact, context: FactContext): Truth =>
  (evaluations[fact.op] as Evaluation<SigninFact>).truth(fact, context);

/**
 * Whether a sign-in is already what one would ask for: as recent as every age, and by one of the ways.
 *
 * @param isSo says of one fact whether the person signed in so, whatever provider it is about
 */
export function isMet(asked: readonly SigninFact[], isSo: (fact: SigninFact) => boolean): boolean {
  const ways = asked.filter(({ op }) => op === 'acr');
  return asked.every((fact) => fact.op === 'acr' || isSo(fact)) && (ways.length === 0 || ways.some(isSo));
}
