import { type FactReading, type RoleOf, readFacts } from '../policy/read-facts.ts';
import type { Fact } from '../policy/types.ts';
import type { Verified } from '../token/types.ts';
import { roleTruth, type SigninFact, signedInSo } from './facts.ts';
import type { Prepared } from './roles.ts';

const nothing: readonly SigninFact[] = Object.freeze([]);

/** What facts ask of the sign-in itself, in the policy's order; of what must not be, a step up makes nothing true. */
export const askedOfSignin = (roleOf: RoleOf): FactReading<Fact, readonly SigninFact[]> =>
  readFacts(roleOf, {
    leaf: (fact) => (fact.op === 'acr' || fact.op === 'max_age' ? [fact] : nothing),
    sum: (op, parts) => {
      const some = op === 'none' ? [] : parts.filter((part) => part.length > 0);
      return some.length < 2 ? (some[0] ?? nothing) : [...new Set(some.flat())];
    },
    missing: nothing,
  });

/**
 * Whether a sign-in is already what one would ask for: as recent as every age, and by one of the ways.
 *
 * @param isSo says of one fact whether somebody signed in so, whatever provider it speaks of
 */
export function isMet(asked: readonly SigninFact[], isSo: (fact: SigninFact) => boolean): boolean {
  const ways = asked.filter(({ op }) => op === 'acr');
  return asked.every((fact) => fact.op === 'acr' || isSo(fact)) && (ways.length === 0 || ways.some(isSo));
}

/**
 * Roles that are not held, and would be if all that the policy asks of the sign-in were so. One that is not held although
 * the sign-in is what a step up for it would ask for is not among them: asking again would go on forever.
 *
 * @param now seconds since the epoch
 */
export function stepUpRoles(
  verified: Verified,
  { kind, roles, grants, asked }: Prepared,
  held: readonly string[],
  now: number,
): readonly string[] {
  const context = { verified, kind, roles, signin: { now, assumed: true, until: 0 } };
  const real = { now, assumed: false, until: 0 };
  const isSo = (fact: SigninFact): boolean => signedInSo(fact, verified.claims, real) === true;
  return grants.bySignin
    .map((place) => grants.names[place] as string)
    .filter((name) => {
      if (held.includes(name) || roleTruth(name, context) !== true) return false;
      return !isMet(asked.role(name), isSo);
    });
}
