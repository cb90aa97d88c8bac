import type { Agent, Policy } from '../../policy/checked/types.ts';
import { type Implied, impliedBy } from '../implied.ts';
import { type AnonymousCaller, anonymousCallers } from './anonymous-callers.ts';
import { matchText } from './changed-definitions.ts';

/** The properties of callers that a comparison of two policies needs besides the rules. */
export interface Population {
  readonly implied: Implied;
  /** Anonymous callers to which the request gives a role on at least one side. */
  readonly anonymous: readonly AnonymousCaller[];
  /** For each side, the agents that it does not know and therefore treats as people. */
  readonly people: readonly [left: ReadonlySet<string>, right: ReadonlySet<string>];
  /** Whether both sides identify all callers in the same way. Then equal rules give equal decisions. */
  readonly alike: boolean;
}

/** Returns agents with tokens that one policy does not know under any name, and therefore treats as people. */
function unknownTo({ agents }: Policy, policy: Policy): ReadonlySet<string> {
  const known = Object.values(agents).map(matchText);
  const isNew = (agent: Agent): boolean =>
    agent.match.kind !== 'service' && !Object.hasOwn(agents, agent.name) && !known.includes(matchText(agent));
  return new Set(Object.values(policy.agents).flatMap((agent) => (isNew(agent) ? [agent.name] : [])));
}

/** Makes the population of two policies from its parts. */
export function population(
  implied: Implied,
  anonymous: readonly AnonymousCaller[],
  people: Population['people'] = [new Set(), new Set()],
): Population {
  const isAlike = ({ left, right }: AnonymousCaller): boolean => left.join() === right.join();
  return { implied, anonymous, people, alike: people.every(({ size }) => size === 0) && anonymous.every(isAlike) };
}

export const populationOf = (left: Policy, right: Policy): Population =>
  population(impliedBy([left, right]), anonymousCallers(left, right), [unknownTo(left, right), unknownTo(right, left)]);
