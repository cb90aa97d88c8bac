import type { Advice } from '../policy/header-advice.ts';
import type { Policy } from '../policy/types.ts';
import { heldFromMost } from './anonymous.ts';
import type { Rule } from './types.ts';

/** Advice about roles with `none` of a network: by them a rule allows anonymous callers from most addresses. */
export function anonymousAdvice(policy: Policy, rules: readonly Rule[]): readonly Advice[] {
  const held = heldFromMost(policy);
  return Object.values(policy.roles).flatMap(({ name, at }): Advice[] => {
    const rule = held.has(name) ? rules.find(({ who }) => who.kind === 'role' && who.role === name) : undefined;
    if (rule === undefined) return [];
    const text = `callers without a credential have this role from most addresses, and ${rule.id} lets them in; add a fact of a token to it (all), or write anyone in the rule if that is meant`;
    return [{ at, path: `roles.${name}`, text }];
  });
}
