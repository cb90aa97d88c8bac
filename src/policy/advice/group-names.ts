import type { Policy } from '../checked/types.ts';
import { everyFact } from '../facts/walk.ts';
import { OBJECT_ID } from '../forms/addresses.ts';
import { quote } from '../forms/path.ts';
import type { Advice } from './recommendation.ts';

/** Advice for roles by the display name of a group of Entra ID, whose tokens have ids of groups unless the application is
 * configured to have names. */
export function groupAdvice({ roles, providers }: Policy): readonly Advice[] {
  const [only, ...others] = Object.keys(providers);
  return Object.values(roles).flatMap(({ name, fact }) =>
    everyFact(fact).flatMap((it) => {
      if (it.op !== 'group' || OBJECT_ID.test(it.value)) return [];
      const provider = it.provider ?? (others.length === 0 ? only : undefined);
      if (provider === undefined || providers[provider]?.kind !== 'entra') return [];
      const text = `tokens of Entra ID have the object ids of groups, and ${quote(it.value)} is not an object id; write the id, as in { group: 9c2a5f1d-3b7e-4f0a-8d6c-1e5b7a9c0d2e }, unless the application is configured to emit names`;
      return [{ at: it.at, path: `roles.${name}`, text }];
    }),
  );
}
