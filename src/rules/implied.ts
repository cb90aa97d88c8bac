import type { Fact, Policy } from '../policy/types.ts';

/** Roles that whoever has a role has as well. */
export type Implied = (role: string) => ReadonlySet<string>;

function inAll(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...rest] = sets;
  return new Set([...first].filter((role) => rest.every((set) => set.has(role))));
}

/** Roles that are held wherever a fact is true. */
function ofFact(fact: Fact, policy: Policy): ReadonlySet<string> {
  switch (fact.op) {
    case 'role':
      return ofRole(fact.value, policy);
    case 'all':
      return new Set(fact.facts.flatMap((part) => [...ofFact(part, policy)]));
    case 'any':
      return inAll(fact.facts.map((part) => ofFact(part, policy)));
    default:
      return new Set();
  }
}

function ofRole(name: string, policy: Policy): ReadonlySet<string> {
  const role = policy.roles[name];
  return new Set([name, ...(role === undefined ? [] : ofFact(role.fact, policy))]);
}

/** What roles imply in all of the policies that have them: a role that is made of others comes with them. */
export function impliedBy(policies: readonly Policy[]): Implied {
  const known = new Map<string, ReadonlySet<string>>();
  return (role) => {
    const having = policies.filter((policy) => Object.hasOwn(policy.roles, role));
    const found = known.get(role) ?? new Set([role, ...inAll(having.map((policy) => ofRole(role, policy)))]);
    known.set(role, found);
    return found;
  };
}

/** Where nothing is known of roles. */
export const alone: Implied = (role) => new Set([role]);
