import { MAX_SCOPE_WAYS } from '../limits.ts';
import type { Fact } from '../policy/types.ts';
import type { Verified } from '../token/types.ts';
import { truthOf } from './facts.ts';
import { preparedOf } from './roles.ts';
import type { CallerTable } from './types.ts';

/** Scopes that together are one way to a fact, in the policy's order. */
type Way = readonly string[];

const NOTHING: readonly Way[] = [[]];

/** Each way of the one with each of the other. */
function both(left: readonly Way[], right: readonly Way[]): readonly Way[] {
  return left.flatMap((a) => right.map((b) => [...new Set([...a, ...b])])).slice(0, MAX_SCOPE_WAYS);
}

/**
 * The scopes that a fact asks for: each entry is one way, all of its scopes together. What is no scope asks for none, and
 * of what must not be, no scope makes anything true.
 *
 * @param roleOf the fact behind a role's name
 */
export function scopeWays(
  fact: Fact,
  roleOf: (name: string) => Fact | undefined,
  under: readonly string[] = [],
): readonly Way[] {
  if (fact.op === 'scope') return [[fact.value]];
  if (fact.op === 'any') return fact.facts.flatMap((part) => scopeWays(part, roleOf, under)).slice(0, MAX_SCOPE_WAYS);
  if (fact.op === 'all') return fact.facts.map((part) => scopeWays(part, roleOf, under)).reduce(both, NOTHING);
  if (fact.op !== 'role' || under.includes(fact.value)) return NOTHING;
  const role = roleOf(fact.value);
  return role === undefined ? NOTHING : scopeWays(role, roleOf, [...under, fact.value]);
}

/**
 * Roles that a token does not give for want of scopes alone, each with the scopes that it takes, spaces between: those
 * of the first way that would do.
 *
 * @param held the roles that it gives
 * @param now seconds since the epoch
 * @returns nothing where there are none
 */
export function scopeUp(
  verified: Verified,
  table: CallerTable,
  held: readonly string[],
  now: number,
): Readonly<Record<string, string>> | undefined {
  const { kind, roles, grants } = preparedOf(verified.provider, table);
  const signin = { now, assumed: false, until: 0 };
  const found: Record<string, string> = {};
  for (const place of grants.byScope) {
    const name = grants.names[place] as string;
    if (held.includes(name)) continue;
    const fact = roles.get(name) as Fact;
    const would = (scopes: Way) => truthOf(fact, { verified, kind, roles, signin, scopes }, [name]) === true;
    const way = scopeWays(fact, (role) => roles.get(role), [name]).find((it) => it.length > 0 && would(it));
    if (way !== undefined) found[name] = way.join(' ');
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
