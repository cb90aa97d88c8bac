import type { Policy } from '../policy/checked/types.ts';
import { ADDRESS } from '../policy/facts/operator.ts';
import { readFacts } from '../policy/facts/walk.ts';
import { dependsOn, perPolicy } from './per-policy.ts';

/** Returns the roles that every caller with a given role also has. */
export type Implied = (role: string) => ReadonlySet<string>;

function inAll(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...rest] = sets;
  return new Set([...first].filter((role) => rest.every((set) => set.has(role))));
}

const none: ReadonlySet<string> = new Set();

const heldWith = perPolicy((roleOf) =>
  readFacts<ReadonlySet<string>>(roleOf, {
    leaf: () => none,
    sum: (op, parts) => {
      if (op === 'any') return inAll(parts);
      return op === 'all' ? new Set(parts.flatMap((part) => [...part])) : none;
    },
    role: (name, inner) => new Set([name, ...inner]),
    missing: none,
  }),
);

/** Returns the roles that a role implies in all policies that define it, because its fact requires them. */
export function impliedBy(policies: readonly Policy[]): Implied {
  const known = new Map<string, ReadonlySet<string>>();
  return (role) => {
    const having = policies.filter(({ roles }) => Object.hasOwn(roles, role));
    const found = known.get(role) ?? new Set([role, ...inAll(having.map((policy) => heldWith(policy).role(role)))]);
    known.set(role, found);
    return found;
  };
}

/** Whether an anonymous caller may have a role, because the role depends on the client's address. */
export const restsOnNetwork = (policy: Pick<Policy, 'roles'>, role: string): boolean =>
  (dependsOn(policy).role(role) & ADDRESS) !== 0;

/** Returns the roles that anonymous callers may have in all of the policies, because of their address. */
export function heldByNobody(policies: readonly Policy[]): ReadonlySet<string> {
  const names = new Set(policies.flatMap(({ roles }) => Object.keys(roles)));
  const isHeld = (name: string, policy: Policy): boolean =>
    !Object.hasOwn(policy.roles, name) || restsOnNetwork(policy, name);
  return new Set([...names].filter((name) => policies.every((policy) => isHeld(name, policy))));
}

/** For roles without a known definition: each role implies only itself. */
export const alone: Implied = (role) => new Set([role]);
