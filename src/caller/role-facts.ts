import type { Fact } from '../policy/facts/index.ts';
import { dependencies, type FactReading, type RoleOf } from '../policy/facts/walk.ts';
import { scopeWays, type Way } from './scope-ways.ts';
import { askedOfSignin, type SigninFact } from './signin-facts.ts';
import type { CallerTable } from './types.ts';

/** What is made of the roles of a policy once, whatever the provider. */
export interface RoleFacts {
  /** All roles of the policy, in its order. */
  readonly roles: ReadonlyMap<string, Fact>;
  readonly roleOf: RoleOf;
  /** What roles depend on, in the bits of the operators. */
  readonly depends: FactReading<Fact, number>;
  /** What roles ask of the sign-in. */
  readonly asked: FactReading<Fact, readonly SigninFact[]>;
  /** What scopes roles take. */
  readonly ways: FactReading<Fact, readonly Way[]>;
}

const made = new WeakMap<Pick<CallerTable, 'roles'>, RoleFacts>();

export function roleFacts(table: Pick<CallerTable, 'roles'>): RoleFacts {
  const found = made.get(table);
  if (found !== undefined) return found;
  const roles = new Map(table.roles);
  const roleOf: RoleOf = (name) => roles.get(name);
  const facts = {
    ...{ roles, roleOf },
    depends: dependencies(roleOf),
    asked: askedOfSignin(roleOf),
    ways: scopeWays(roleOf),
  };
  made.set(table, facts);
  return facts;
}
