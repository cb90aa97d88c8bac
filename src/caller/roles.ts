import type { Fact } from '../policy/types.ts';
import { providerKind } from '../providers/index.ts';
import type { Verified } from '../token/types.ts';
import { type FactContext, truthOf } from './facts.ts';
import type { CallerTable } from './types.ts';

/** Roles by name, once per table. */
const roleMaps = new WeakMap<CallerTable['roles'], ReadonlyMap<string, Fact>>();

/** What the facts about a verified token are evaluated against. */
export function factContext(verified: Verified, table: CallerTable): FactContext {
  const provider = table.providers[verified.provider];
  const kind = provider && providerKind(provider.kind);
  if (kind === undefined) throw new Error(`the policy has no provider ${verified.provider}`);
  let roles = roleMaps.get(table.roles);
  if (roles === undefined) {
    roles = new Map(table.roles);
    roleMaps.set(table.roles, roles);
  }
  return { verified, kind, roles };
}

/** The roles that the token gives, in the policy's order. */
export function rolesOf(context: FactContext): string[] {
  const held: string[] = [];
  for (const [name, fact] of context.roles) {
    if (truthOf(fact, context, [name]) === true) held.push(name);
  }
  return held;
}
