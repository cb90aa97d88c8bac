import type { Policy } from '../policy/types.ts';
import { overlap } from '../rules/cover.ts';
import { type Enforced, enforced } from '../rules/enforced.ts';
import type { Rule } from '../rules/types.ts';

/** Who a rule is for, in words. */
export function whoText({ who, agent }: Pick<Enforced, 'who' | 'agent'>): string {
  const person = who.kind === 'role' ? `role ${who.role}` : who.kind;
  return typeof agent === 'string' ? `agent ${agent} for ${person}` : person;
}

const sameWho = (a: Enforced, b: Enforced): boolean => whoText(a) === whoText(b);

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/**
 * Rules of other callers that a mesh without the assertion cannot tell from this one: same identity, authority, and a
 * request in common.
 */
export function indistinct(rule: Enforced, rules: readonly Enforced[], policy: Policy): readonly Enforced[] {
  const authority = policy.services[rule.service]?.authority;
  const spiffe = policy.mesh?.identities[rule.as]?.spiffe;
  return rules.filter(
    (other) =>
      other.id !== rule.id &&
      !sameWho(other, rule) &&
      policy.mesh?.identities[other.as]?.spiffe === spiffe &&
      policy.services[other.service]?.authority === authority &&
      methodsMeet(rule, other) &&
      overlap(rule.path, other.path),
  );
}

/** Who shares what with a rule, and cannot be told from it. */
export function sharingText(rule: Enforced, others: readonly Enforced[], policy: Policy): string {
  const hosts = others.some((other) => other.host !== rule.host);
  const where = hosts ? ` and the authority ${policy.services[rule.service]?.authority}` : '';
  const names = others.map((other) => `${whoText(other)} (${other.id})`).join(', ');
  return `${whoText(rule)} shares the identity ${rule.as}${where} with ${names} on the same requests`;
}

/** The rules of services in the mesh, each to be held by itself. */
export function meshRules(policy: Policy, rules: readonly Rule[]): readonly Enforced[] {
  return enforced(rules).filter((rule) => policy.services[rule.service]?.direct === undefined);
}
