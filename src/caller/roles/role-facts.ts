import type { Fact } from '../../policy/facts/index.ts';
import { dependencies, type FactReading, type RoleOf } from '../../policy/facts/walk.ts';
import type { CallerTable } from '../types.ts';
import { scopeWays, type Way } from './scope-ways.ts';
import { requestedOfSignin, type SigninFact } from './truth.ts';

/** Data that is computed once from the roles of a policy, for all providers. */
export interface RoleFacts {
  /** All roles of the policy, in its order. */
  readonly roles: ReadonlyMap<string, Fact>;
  readonly roleOf: RoleOf;
  /** For each role, what it depends on, as bits of the operators. */
  readonly depends: FactReading<Fact, number>;
  /** For each role, the facts about the sign-in that it requires. */
  readonly requested: FactReading<Fact, readonly SigninFact[]>;
  /** For each role, the scopes that it requires. */
  readonly ways: FactReading<Fact, readonly Way[]>;
}

const made = new WeakMap<Pick<CallerTable, 'roles'>, RoleFacts>();

export function factsOfRoles(table: Pick<CallerTable, 'roles'>): RoleFacts {
  const found = made.get(table);
  if (found !== undefined) return found;
  const roles = new Map(table.roles);
  const roleOf: RoleOf = (name) => roles.get(name);
  const facts = {
    ...{ roles, roleOf },
    depends: dependencies(roleOf),
    requested: requestedOfSignin(roleOf),
    ways: scopeWays(roleOf),
  };
  made.set(table, facts);
  return facts;
}
