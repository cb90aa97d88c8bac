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

function restsOnNetwork(fact: Fact, policy: Policy, under: readonly string[]): boolean {
  if ('facts' in fact) return fact.facts.some((part) => restsOnNetwork(part, policy, under));
  if (fact.op !== 'role') return fact.op === 'network';
  const role = under.includes(fact.value) ? undefined : policy.roles[fact.value];
  return role !== undefined && restsOnNetwork(role.fact, policy, [...under, fact.value]);
}

/** Roles that by each of the policies nobody in particular may have, by where they ask from. */
export function heldByNobody(policies: readonly Policy[]): ReadonlySet<string> {
  const names = new Set(policies.flatMap(({ roles }) => Object.keys(roles)));
  const isHeld = (name: string, policy: Policy): boolean => {
    const role = policy.roles[name];
    return role === undefined || restsOnNetwork(role.fact, policy, [name]);
  };
  return new Set([...names].filter((name) => policies.every((policy) => isHeld(name, policy))));
}

/** Where nothing is known of roles. */
export const alone: Implied = (role) => new Set([role]);
