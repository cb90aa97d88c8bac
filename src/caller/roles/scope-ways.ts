import { MAX_SCOPE_WAYS } from '../../base/limits.ts';
import type { Fact } from '../../policy/facts/index.ts';
import { type FactReading, type RoleOf, readFacts } from '../../policy/facts/walk.ts';

/** One way to make a fact true: the scopes that it needs together, in the policy's order. */
export type Way = readonly string[];

const NOTHING: readonly Way[] = [[]];

/** The ways that were chosen so far, one for each part. */
interface Chosen {
  readonly way: Way;
  readonly before: Chosen | undefined;
}

function scopesIn(chosen: Chosen): Way {
  const ways: Way[] = [];
  for (let it: Chosen | undefined = chosen; it !== undefined; it = it.before) ways.push(it.way);
  return [...new Set(ways.reverse().flat())];
}

/** Combines each way of each part with each way of the other parts. */
function together(parts: readonly (readonly Way[])[]): readonly Way[] {
  let chosen: readonly Chosen[] = [{ way: [], before: undefined }];
  for (const part of parts) {
    const more: Chosen[] = [];
    for (const before of chosen) {
      for (const way of part) if (more.length < MAX_SCOPE_WAYS) more.push({ way, before });
    }
    chosen = more;
  }
  return chosen.map(scopesIn);
}

/** The ways to make a fact true by scopes, each with all its scopes. A fact that does not depend on scopes has one way,
 * without scopes. A negated fact has no way: no scope makes it true. */
export const scopeWays = (roleOf: RoleOf): FactReading<Fact, readonly Way[]> =>
  readFacts(roleOf, {
    leaf: (fact) => (fact.op === 'scope' ? [[fact.value]] : NOTHING),
    sum: (op, parts) => {
      if (op === 'none') return NOTHING;
      return op === 'all' ? together(parts) : parts.flat().slice(0, MAX_SCOPE_WAYS);
    },
    missing: NOTHING,
  });
