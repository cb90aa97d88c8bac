import { scopeWays } from '../../caller/roles/scope-ways.ts';
import type { Policy, Route } from '../../policy/checked/types.ts';
import { perPolicy } from '../per-policy.ts';
import { withoutPrototype } from '../without-prototype.ts';

const waysOf = perPolicy(scopeWays);

/** Returns the scopes for a role: those of the first way to get the role that requires scopes. */
export function scopesOf(role: string, policy: Policy): readonly string[] {
  const ways = waysOf(policy).role(role);
  return ways.find((way) => way.length > 0) ?? [];
}

/** Returns, for each role that requires scopes, the scopes that a client should request, separated by spaces. */
export function roleScopes(policy: Policy): Readonly<Record<string, string>> {
  const all = Object.keys(policy.roles).map((name) => [name, scopesOf(name, policy).join(' ')] as const);
  return withoutPrototype(all.filter(([, scopes]) => scopes !== ''));
}

/** Returns the scopes that clients may request for a route: the scopes for all roles in its rules. */
export function routeScopes({ allow }: Pick<Route, 'allow'>, policy: Policy): readonly string[] {
  return [...new Set(allow.flatMap(({ who }) => (who.kind === 'role' ? scopesOf(who.role, policy) : [])))];
}
