import type { Fact } from '../policy/types.ts';
import { type ProviderKind, providerKind } from '../providers/index.ts';
import { claimAt } from '../token/claim-at.ts';
import type { Verified } from '../token/types.ts';
import { type FactContext, truthOf } from './facts.ts';
import type { CallerTable } from './types.ts';

/** How roles are found from a provider's tokens, made once: most are given by a group, and found by its name. */
interface RoleGrants {
  /** In the policy's order; everything else here counts places in it. */
  readonly names: readonly string[];
  readonly byGroup: ReadonlyMap<unknown, readonly number[]>;
  /** Roles by other facts. */
  readonly byFact: readonly number[];
}

/** What is made once per provider of a table. */
interface Prepared {
  readonly kind: ProviderKind;
  readonly roles: ReadonlyMap<string, Fact>;
  readonly grants: RoleGrants;
}

/** What the facts about a token are evaluated against, and its roles found from. */
export interface RoleContext extends FactContext {
  readonly grants: RoleGrants;
}

const prepared = new WeakMap<CallerTable, Map<string, Prepared>>();

/** A group fact about other providers' tokens is never true of this one's; a group fact without a provider is of all. */
function grantsOf(roles: ReadonlyMap<string, Fact>, provider: string): RoleGrants {
  const names = [...roles.keys()];
  const byGroup = new Map<unknown, number[]>();
  const byFact: number[] = [];
  names.forEach((name, place) => {
    const fact = roles.get(name) as Fact;
    if (fact.op !== 'group') byFact.push(place);
    else if (fact.provider === undefined || fact.provider === provider) {
      byGroup.set(fact.value, [...(byGroup.get(fact.value) ?? []), place]);
    }
  });
  return { names, byGroup, byFact };
}

function prepare(name: string, table: CallerTable): Prepared {
  const provider = table.providers[name];
  const kind = provider && providerKind(provider.kind);
  if (kind === undefined) throw new Error(`the policy has no provider ${name}`);
  const roles = new Map(table.roles);
  return { kind, roles, grants: grantsOf(roles, name) };
}

function preparedOf(name: string, table: CallerTable): Prepared {
  let providers = prepared.get(table);
  if (providers === undefined) {
    providers = new Map();
    prepared.set(table, providers);
  }
  let made = providers.get(name);
  if (made === undefined) {
    made = prepare(name, table);
    providers.set(name, made);
  }
  return made;
}

/** What the facts about a verified token are evaluated against. */
export function factContext(verified: Verified, table: CallerTable): RoleContext {
  const { kind, roles, grants } = preparedOf(verified.provider, table);
  return { verified, kind, roles, grants };
}

/** The roles that the token gives, in the policy's order. What it costs grows with the token's groups, not with the policy. */
export function rolesOf(context: RoleContext): string[] {
  const { names, byGroup, byFact } = context.grants;
  const places: number[] = [];
  if (byGroup.size > 0) {
    const groups = claimAt(context.verified.claims, context.kind.groups);
    const list = Array.isArray(groups) ? groups : [groups];
    for (let i = 0; i < list.length; i++) {
      const more = byGroup.get(list[i]);
      if (more === undefined) continue;
      for (let j = 0; j < more.length; j++) places.push(more[j] as number);
    }
  }
  for (let i = 0; i < byFact.length; i++) {
    const place = byFact[i] as number;
    const name = names[place] as string;
    if (truthOf(context.roles.get(name) as Fact, context, [name]) === true) places.push(place);
  }
  if (places.length === 1) return [names[places[0] as number] as string];
  places.sort((a, b) => a - b);
  const held: string[] = [];
  for (let i = 0; i < places.length; i++)
    if (places[i] !== places[i - 1]) held.push(names[places[i] as number] as string);
  return held;
}
