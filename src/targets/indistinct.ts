import type { Policy, Who } from '../policy/types.ts';
import { overlap } from '../rules/cover.ts';
import type { Rule } from '../rules/types.ts';

/** Who a rule is for, in words. */
export const whoText = (who: Who): string => (who.kind === 'role' ? `role ${who.role}` : who.kind);

const sameWho = (a: Who, b: Who): boolean => whoText(a) === whoText(b);

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/**
 * Rules of other callers that a mesh without the assertion cannot tell from this one: same identity, authority, and a
 * request in common.
 */
export function indistinct(rule: Rule, rules: readonly Rule[], policy: Policy): readonly Rule[] {
  const authority = policy.services[rule.service]?.authority;
  const spiffe = policy.mesh?.identities[rule.as]?.spiffe;
  return rules.filter(
    (other) =>
      other.id !== rule.id &&
      !sameWho(other.who, rule.who) &&
      policy.mesh?.identities[other.as]?.spiffe === spiffe &&
      policy.services[other.service]?.authority === authority &&
      methodsMeet(rule, other) &&
      overlap(rule.path, other.path),
  );
}

/** Who shares what with a rule, and cannot be told from it. */
export function sharingText(rule: Rule, others: readonly Rule[], policy: Policy): string {
  const hosts = others.some((other) => other.host !== rule.host);
  const where = hosts ? ` and the authority ${policy.services[rule.service]?.authority}` : '';
  const names = others.map((other) => `${whoText(other.who)} (${other.id})`).join(', ');
  return `${whoText(rule.who)} shares the identity ${rule.as}${where} with ${names} on the same requests`;
}

/** The rules of services in the mesh. */
export function meshRules(policy: Policy, rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule) => policy.services[rule.service]?.direct === undefined);
}
