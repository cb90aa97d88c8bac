import type { Fact } from '../policy/types.ts';
import { providerKind } from '../providers/index.ts';
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

/** What the facts about a token are evaluated against, and its roles found from. */
export interface RoleContext extends FactContext {
  readonly grants: RoleGrants;
}

/** What is made once per list of roles. */
interface Prepared {
  readonly roles: ReadonlyMap<string, Fact>;
  /** By provider. */
  readonly grants: Map<string, RoleGrants>;
}

const prepared = new WeakMap<CallerTable['roles'], Prepared>();

function preparedOf(roles: CallerTable['roles']): Prepared {
  let made = prepared.get(roles);
  if (made === undefined) {
    made = { roles: new Map(roles), grants: new Map() };
    prepared.set(roles, made);
  }
  return made;
}

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

/** What the facts about a verified token are evaluated against. */
export function factContext(verified: Verified, table: CallerTable): RoleContext {
  const provider = table.providers[verified.provider];
  const kind = provider && providerKind(provider.kind);
  if (kind === undefined) throw new Error(`the policy has no provider ${verified.provider}`);
  const made = preparedOf(table.roles);
  let grants = made.grants.get(verified.provider);
  if (grants === undefined) {
    grants = grantsOf(made.roles, verified.provider);
    made.grants.set(verified.provider, grants);
  }
  return { verified, kind, roles: made.roles, grants };
}

function addPlaces(places: number[], more: readonly number[] | undefined): void {
  if (more !== undefined) for (let i = 0; i < more.length; i++) places.push(more[i] as number);
}

/** The roles that the token gives, in the policy's order. What it costs grows with the token's groups, not with the policy. */
export function rolesOf(context: RoleContext): string[] {
  const { names, byGroup, byFact } = context.grants;
  const places: number[] = [];
  if (byGroup.size > 0) {
    const groups = claimAt(context.verified.claims, context.kind.groups);
    if (Array.isArray(groups)) for (let i = 0; i < groups.length; i++) addPlaces(places, byGroup.get(groups[i]));
    else addPlaces(places, byGroup.get(groups));
  }
  for (let i = 0; i < byFact.length; i++) {
    const place = byFact[i] as number;
    const name = names[place] as string;
    if (truthOf(context.roles.get(name) as Fact, context, [name]) === true) places.push(place);
  }
  if (places.length > 1) places.sort((a, b) => a - b);
  const held: string[] = [];
  for (let i = 0; i < places.length; i++)
    if (places[i] !== places[i - 1]) held.push(names[places[i] as number] as string);
  return held;
}
