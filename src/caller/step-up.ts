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

/** Whether a sign-in is already what one would ask for: as recent as every age, and by one of the ways. */
function isMet(asked: readonly SigninFact[], { claims }: Verified, now: number): boolean {
  const signin = { now, assumed: false, until: 0 };
  const ways = asked.filter(({ op }) => op === 'acr');
  const ages = asked.filter(({ op }) => op === 'max_age');
  const met = (fact: SigninFact): boolean => signedInSo(fact, claims, signin) === true;
  return ages.every(met) && (ways.length === 0 || ways.some(met));
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
  return grants.bySignin
    .map((place) => grants.names[place] as string)
    .filter((name) => {
      const fact = roles.get(name) as Fact;
      if (held.includes(name) || truthOf(fact, context, [name]) !== true) return false;
      return !isMet(
        askedOfSignin(fact, (role) => roles.get(role), [name]),
        verified,
        now,
      );
    });
}
