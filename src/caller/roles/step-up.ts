import type { Verified } from '../../token/types.ts';
import type { Prepared } from './roles.ts';
import { isMet, type SigninFact, signedInSo } from './signin-facts.ts';
import { type FactContext, roleTruth } from './truth.ts';

/** Returns the roles that the caller lacks now and would have after a sign-in that meets the policy's requirements.
 * Roles whose requirements the present sign-in already meets are left out: their step-up would repeat forever. */
export function stepUpRoles(
  verified: Verified,
  { kind, roles, grants, asked }: Prepared,
  held: readonly string[],
  now: number,
): readonly string[] {
  const context: FactContext = { verified, kind, roles, signin: { now, assumed: true, until: 0 } };
  const real: FactContext = { verified, kind, roles, signin: { now, assumed: false, until: 0 } };
  const isSo = (fact: SigninFact): boolean => signedInSo(fact, real) === true;
  return grants.bySignin
    .map((place) => grants.names[place] as string)
    .filter((name) => {
      if (held.includes(name) || roleTruth(name, context) !== true) return false;
      return !isMet(asked.role(name), isSo);
    });
}
