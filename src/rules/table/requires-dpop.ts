import type { Policy, Route, Who } from '../../policy/checked/types.ts';
import { readFacts } from '../../policy/facts/walk.ts';
import { perPolicy } from '../per-policy.ts';

const needsDpop = perPolicy((roleOf) =>
  readFacts<boolean>(roleOf, {
    leaf: (fact) => fact.op === 'bound' && fact.value === 'dpop',
    sum: (op, parts) => (op === 'all' ? parts.includes(true) : op === 'any' && !parts.includes(false)),
    missing: false,
  }),
);

function whoNeedsDpop(who: Who, policy: Policy): boolean {
  if (who.kind === 'role') return needsDpop(policy).role(who.role);
  return who.kind === 'agent' && policy.agents[who.agent]?.bound === 'dpop';
}

/** Whether each rule of some routes requires a token that is bound to a DPoP key (RFC 9449). */
export function requiresDpop(routes: readonly Pick<Route, 'allow'>[], policy: Policy): boolean {
  // A service that acts for a person has no token of its own: it uses the inner listener.
  const isToken = (who: Who) => who.kind !== 'agent' || policy.agents[who.agent]?.match.kind !== 'service';
  const all = routes.flatMap(({ allow }) => allow.map(({ who }) => who)).filter(isToken);
  return policy.gateway.proof !== undefined && all.length > 0 && all.every((who) => whoNeedsDpop(who, policy));
}
