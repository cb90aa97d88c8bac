import type { Fact, Policy, Route, Who } from '../policy/types.ts';

type RoleOf = (name: string) => Fact | undefined;

/** Whether a fact is true of no token but one that is bound to a DPoP key. */
function needsDpop(fact: Fact, roleOf: RoleOf, under: readonly string[] = []): boolean {
  if (fact.op === 'bound') return fact.value === 'dpop';
  if (fact.op === 'all') return fact.facts.some((part) => needsDpop(part, roleOf, under));
  if (fact.op === 'any') return fact.facts.every((part) => needsDpop(part, roleOf, under));
  if (fact.op !== 'role' || under.includes(fact.value)) return false;
  const role = roleOf(fact.value);
  return role !== undefined && needsDpop(role, roleOf, [...under, fact.value]);
}

function whoNeedsDpop(who: Who, { roles, agents }: Policy): boolean {
  const fact = who.kind === 'role' ? roles[who.role]?.fact : undefined;
  if (fact !== undefined) return needsDpop(fact, (name) => roles[name]?.fact);
  return who.kind === 'agent' && agents[who.agent]?.bound === 'dpop';
}

/** Whether routes take no token but such as are bound to a DPoP key (RFC 9449): each of their rules asks for that. */
export function requiresDpop(routes: readonly Pick<Route, 'allow'>[], policy: Policy): boolean {
  // A service that acts for somebody comes to the inner listener, with no token of theirs.
  const isToken = (who: Who) => who.kind !== 'agent' || policy.agents[who.agent]?.match.kind !== 'service';
  const all = routes.flatMap(({ allow }) => allow.map(({ who }) => who)).filter(isToken);
  return policy.gateway.proof !== undefined && all.length > 0 && all.every((who) => whoNeedsDpop(who, policy));
}
