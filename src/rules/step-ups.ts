import type { At, Fact, Policy } from '../policy/types.ts';
import type { StepUp } from '../session/signin-table.ts';
import { record } from './record.ts';

const nowhere: At = { file: '', line: 0, column: 0 };

/** What a fact asks of the sign-in itself; of what must not be, a step up makes nothing true. */
function asked(fact: Fact, policy: Policy, under: readonly string[]): readonly Fact[] {
  if (fact.op === 'acr' || fact.op === 'max_age') return [fact];
  if (fact.op === 'any' || fact.op === 'all') return fact.facts.flatMap((part) => asked(part, policy, under));
  if (fact.op !== 'role' || under.includes(fact.value)) return [];
  const role = policy.roles[fact.value];
  return role === undefined ? [] : asked(role.fact, policy, [...under, fact.value]);
}

/**
 * What a provider is asked for so that a role comes to be held: every `acr` that it names, in the policy's order, and
 * the shortest age. Where the role has alternatives, that satisfies each of them. Undefined where it asks for nothing.
 */
export function stepUpOf(role: string, policy: Policy): StepUp | undefined {
  const facts = asked({ op: 'role', value: role, at: nowhere }, policy, []);
  if (facts.length === 0) return undefined;
  const acrValues = [...new Set(facts.flatMap((it) => (it.op === 'acr' ? it.value : [])))];
  const ages = facts.flatMap((it) => (it.op === 'max_age' ? it.value : []));
  return { ...(acrValues.length > 0 && { acrValues }), ...(ages.length > 0 && { maxAge: Math.min(...ages) }) };
}

/** {@link stepUpOf} of each role that asks for something. */
export function stepUps(policy: Policy): Readonly<Record<string, StepUp>> {
  const all = Object.values(policy.roles).map(({ name }) => [name, stepUpOf(name, policy)] as const);
  return record(all.filter((entry): entry is [string, StepUp] => entry[1] !== undefined));
}
