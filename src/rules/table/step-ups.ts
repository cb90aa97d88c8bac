import { requestedOfSignin } from '../../caller/roles/truth.ts';
import type { Policy } from '../../policy/checked/types.ts';
import type { StepUp } from '../../session/signin-table.ts';
import { perPolicy } from '../per-policy.ts';
import { withoutPrototype } from '../without-prototype.ts';

const requestedOf = perPolicy(requestedOfSignin);

/** Returns what a sign-in must request so that the person gets a role: every `acr` in order, and the shortest age, so
 * that it satisfies each alternative. Undefined if the role requires nothing of the sign-in. */
export function stepUpOf(role: string, policy: Policy): StepUp | undefined {
  const facts = requestedOf(policy).role(role);
  if (facts.length === 0) return undefined;
  const acrValues = [...new Set(facts.flatMap((it) => (it.op === 'acr' ? it.value : [])))];
  const ages = facts.flatMap((it) => (it.op === 'max_age' ? it.value : []));
  return { ...(acrValues.length > 0 && { acrValues }), ...(ages.length > 0 && { maxAge: Math.min(...ages) }) };
}

/** Returns the result of {@link stepUpOf} for each role that requires something of the sign-in. */
export function stepUps(policy: Policy): Readonly<Record<string, StepUp>> {
  const all = Object.values(policy.roles).map(({ name }) => [name, stepUpOf(name, policy)] as const);
  return withoutPrototype(all.filter((entry): entry is [string, StepUp] => entry[1] !== undefined));
}
