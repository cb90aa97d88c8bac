import { scopeWays } from '../caller/scope-ways.ts';
import type { Policy, Route } from '../policy/types.ts';
import { perPolicy } from './per-policy.ts';
import { record } from './record.ts';

const waysOf = perPolicy(scopeWays);

/** The scopes of the first way to a role that takes any; none where it takes none. */
export function scopesOf(role: string, policy: Policy): readonly string[] {
  return (
    waysOf(policy)
      .role(role)
      .find((way) => way.length > 0) ?? []
  );
}

/** By role, the scopes that a client should ask for, spaces between; only roles that take some. */
export function roleScopes(policy: Policy): Readonly<Record<string, string>> {
  const all = Object.keys(policy.roles).map((name) => [name, scopesOf(name, policy).join(' ')] as const);
  return record(all.filter(([, scopes]) => scopes !== ''));
}

/** What clients may ask for on a route: the scopes of all roles that its rules name. */
export function routeScopes({ allow }: Pick<Route, 'allow'>, policy: Policy): readonly string[] {
  return [...new Set(allow.flatMap(({ who }) => (who.kind === 'role' ? scopesOf(who.role, policy) : [])))];
}
