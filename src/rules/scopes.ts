import { scopeWays } from '../caller/scope-ways.ts';
import type { Policy, Route } from '../policy/types.ts';
import { perPolicy } from './per-policy.ts';
import { withoutPrototype } from './without-prototype.ts';

const waysOf = perPolicy(scopeWays);

/** The scopes of the first way to a role that requires any; empty if none does. */
export function scopesOf(role: string, policy: Policy): readonly string[] {
  return (
    waysOf(policy)
      .role(role)
      .find((way) => way.length > 0) ?? []
  );
}

/** By role, the scopes that a client should request, separated by spaces; only roles that require some. */
export function roleScopes(policy: Policy): Readonly<Record<string, string>> {
  const all = Object.keys(policy.roles).map((name) => [name, scopesOf(name, policy).join(' ')] as const);
  return withoutPrototype(all.filter(([, scopes]) => scopes !== ''));
}

/** The scopes that clients may request for a route: those of all roles in its rules. */
export function routeScopes({ allow }: Pick<Route, 'allow'>, policy: Policy): readonly string[] {
  return [...new Set(allow.flatMap(({ who }) => (who.kind === 'role' ? scopesOf(who.role, policy) : [])))];
}
