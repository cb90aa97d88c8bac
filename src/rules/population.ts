import type { Agent, Policy } from '../policy/types.ts';
import { type AnonymousCaller, anonymousCallers } from './anonymous.ts';
import { matchText } from './definitions.ts';
import { type Implied, impliedBy } from './implied.ts';

/** Who may ask two policies, as far as their rules do not say. */
export interface Population {
  /** Roles that come with others, on both sides. */
  readonly implied: Implied;
  /** Anonymous callers with a role by the request on either side. */
  readonly anonymous: readonly AnonymousCaller[];
  /** Agents of the other side that each side takes for people. */
  readonly people: readonly [left: ReadonlySet<string>, right: ReadonlySet<string>];
  /** Both sides take everybody for the same: whatever rules are the same decide the same. */
  readonly alike: boolean;
}

/**
 * Agents that a policy has and another one has not, by whatever name, and that come with credentials of their own: there
 * these are a person's. A service that the other policy has no agent for is refused at its inner listener.
 */
function unknownTo({ agents }: Policy, policy: Policy): ReadonlySet<string> {
  const known = Object.values(agents).map(matchText);
  const isNew = (agent: Agent): boolean =>
    agent.match.kind !== 'service' && !Object.hasOwn(agents, agent.name) && !known.includes(matchText(agent));
  return new Set(Object.values(policy.agents).flatMap((agent) => (isNew(agent) ? [agent.name] : [])));
}

/** Who may ask, by these. */
export function population(
  implied: Implied,
  anonymous: readonly AnonymousCaller[],
  people: Population['people'] = [new Set(), new Set()],
): Population {
  const isAlike = ({ left, right }: AnonymousCaller): boolean => left.join() === right.join();
  return { implied, anonymous, people, alike: people.every(({ size }) => size === 0) && anonymous.every(isAlike) };
}

/** Who may ask two policies. */
export const populationOf = (left: Policy, right: Policy): Population =>
  population(impliedBy([left, right]), anonymousCallers(left, right), [unknownTo(left, right), unknownTo(right, left)]);
