import type { LoggedClaim } from '../../caller/claimed.ts';
import type { Fact, Policy } from '../../policy/checked/types.ts';
import { isLeaf, providerOf, readsOf } from '../../policy/facts/describe.ts';
import { everyFact } from '../../policy/facts/walk.ts';
import { type ProviderKind, providerKind } from '../../providers/index.ts';
import { withoutPrototype } from '../without-prototype.ts';

/** Adds the claims that a fact reads, with the value or the pattern that it compares them with. */
function add(claims: Map<string, LoggedClaim>, fact: Fact, kind: ProviderKind): void {
  if (!isLeaf(fact)) return;
  for (const { path, value } of readsOf(fact, kind)) {
    const { values, likes } = claims.get(path) ?? { path };
    if (fact.op === 'like') claims.set(path, { path, values: values ?? [], likes: [...(likes ?? []), fact.value] });
    else if (value !== undefined)
      claims.set(path, { path, values: [...(values ?? []), value], ...(likes && { likes }) });
    else if (!claims.has(path)) claims.set(path, { path });
  }
}

/** Returns, for each provider, the claims that lines of the log contain: all that the facts of roles read. Undefined if
 * the policy does not want them. */
export function loggedClaims(policy: Policy): Readonly<Record<string, readonly LoggedClaim[]>> | undefined {
  if (policy.gateway.audit?.claims !== true) return undefined;
  const facts = Object.values(policy.roles).flatMap(({ fact }) => everyFact(fact));
  const all = Object.values(policy.providers).map(({ name, kind: of }) => {
    const claims = new Map<string, LoggedClaim>();
    const kind = providerKind(of) as ProviderKind;
    for (const fact of facts) {
      if (!isLeaf(fact) || (providerOf(fact) ?? name) === name) add(claims, fact, kind);
    }
    return [name, [...claims.values()]] as const;
  });
  return withoutPrototype(all);
}
