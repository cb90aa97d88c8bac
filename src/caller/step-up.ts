import type { Fact } from '../policy/types.ts';
import type { Verified } from '../token/types.ts';
import { type SigninFact, signedInSo, truthOf } from './facts.ts';
import type { Prepared } from './roles.ts';

/**
 * What a fact asks of the sign-in itself, in the policy's order; of what must not be, a step up makes nothing true.
 *
 * @param roleOf the fact behind a role's name
 */
export function askedOfSignin(
  fact: Fact,
  roleOf: (name: string) => Fact | undefined,
  under: readonly string[] = [],
): readonly SigninFact[] {
  if (fact.op === 'acr' || fact.op === 'max_age') return [fact];
  if (fact.op === 'any' || fact.op === 'all') return fact.facts.flatMap((part) => askedOfSignin(part, roleOf, under));
  if (fact.op !== 'role' || under.includes(fact.value)) return [];
  const role = roleOf(fact.value);
  return role === undefined ? [] : askedOfSignin(role, roleOf, [...under, fact.value]);
}

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
  { kind, roles, grants }: Prepared,
  held: readonly string[],
  now: number,
): readonly string[] {
  const context = { verified, kind, roles, signin: { now, assumed: true, until: 0 } };
  const real = { now, assumed: false, until: 0 };
  const isSo = (fact: SigninFact): boolean => signedInSo(fact, verified.claims, real) === true;
  return grants.bySignin
    .map((place) => grants.names[place] as string)
    .filter((name) => {
      const fact = roles.get(name) as Fact;
      if (held.includes(name) || truthOf(fact, context, [name]) !== true) return false;
      return !isMet(
        askedOfSignin(fact, (role) => roles.get(role), [name]),
        isSo,
      );
    });
}
