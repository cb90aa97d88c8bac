import type { Agent, Policy } from '../policy/types.ts';
import { type AnonymousCaller, anonymousCallers } from './anonymous.ts';
import { matchText } from './definitions.ts';
import { type Implied, impliedBy } from './implied.ts';

/** The callers of two policies, as far as their rules do not say it. */
export interface Population {
  /** Roles that others imply, on both sides. */
  readonly implied: Implied;
  /** Anonymous callers to whom the request gives a role on either side. */
  readonly anonymous: readonly AnonymousCaller[];
  /** Agents that each side does not know, so that they count as people. */
  readonly people: readonly [left: ReadonlySet<string>, right: ReadonlySet<string>];
  /** Whether both sides identify all callers alike, so that equal rules decide the same. */
  readonly alike: boolean;
}

/** Agents with credentials of their own that one policy has and the other does not, under any name: there such an agent
 * counts as a person. A service for which the other policy has no agent is refused at its inner listener. */
function unknownTo({ agents }: Policy, policy: Policy): ReadonlySet<string> {
  const known = Object.values(agents).map(matchText);
  const isNew = (agent: Agent): boolean =>
    agent.match.kind !== 'service' && !Object.hasOwn(agents, agent.name) && !known.includes(matchText(agent));
  return new Set(Object.values(policy.agents).flatMap((agent) => (isNew(agent) ? [agent.name] : [])));
}

/** The callers of two policies, from these parts. */
export function population(
  implied: Implied,
  anonymous: readonly AnonymousCaller[],
  people: Population['people'] = [new Set(), new Set()],
): Population {
  const isAlike = ({ left, right }: AnonymousCaller): boolean => left.join() === right.join();
  return { implied, anonymous, people, alike: people.every(({ size }) => size === 0) && anonymous.every(isAlike) };
}

/** The callers of two policies. */
export const populationOf = (left: Policy, right: Policy): Population =>
  population(impliedBy([left, right]), anonymousCallers(left, right), [unknownTo(left, right), unknownTo(right, left)]);
