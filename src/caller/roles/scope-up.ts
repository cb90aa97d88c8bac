import type { Verified } from '../../token/types.ts';
import type { CallerTable } from '../types.ts';
import { preparedOf } from './roles.ts';
import type { Way } from './scope-ways.ts';
import { type CallerFactContext, roleTruth } from './truth.ts';

/** Returns the roles that a token lacks only because of scopes, each with the first set of scopes that suffices,
 * separated by spaces; undefined if there are none.
 * @param held the roles that the token gives */
export function scopeUp(
  verified: Verified,
  table: CallerTable,
  held: readonly string[],
  now: number,
): Readonly<Record<string, string>> | undefined {
  const { kind, roles, grants, ways } = preparedOf(verified.provider, table);
  const signin = { now, assumed: false, until: 0 };
  // Roles that need the same scopes share one evaluation.
  const contexts = new Map<string, CallerFactContext>();
  const gives = (name: string, scopes: Way): boolean => {
    const text = scopes.join(' ');
    const context = contexts.get(text) ?? { verified, kind, roles, signin, scopes };
    contexts.set(text, context);
    return roleTruth(name, context) === true;
  };
  const found: Record<string, string> = {};
  for (const place of grants.byScope) {
    const name = grants.names[place] as string;
    if (held.includes(name)) continue;
    const way = ways.role(name).find((it) => it.length > 0 && gives(name, it));
    if (way !== undefined) found[name] = way.join(' ');
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
