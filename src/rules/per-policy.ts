import type { Policy } from '../policy/checked/types.ts';
import { dependencies, type RoleOf } from '../policy/facts/walk.ts';

/** Returns a function that computes a value from the roles of a policy, once for each policy. */
export function perPolicy<T>(make: (roleOf: RoleOf) => T): (policy: Pick<Policy, 'roles'>) => T {
  const made = new WeakMap<Policy['roles'], T>();
  return ({ roles }) => {
    const found = made.get(roles) ?? make((name) => (Object.hasOwn(roles, name) ? roles[name]?.fact : undefined));
    made.set(roles, found);
    return found;
  };
}

/** Returns what facts and roles depend on, such as the token or the client's address, as bits (policy/facts/operator.ts). */
export const dependsOn = perPolicy(dependencies);
