import type { Policy } from '../policy/types.ts';
import { overlap } from '../rules/cover.ts';
import { type Enforced, enforced } from '../rules/enforced.ts';
import type { Path, Rule } from '../rules/types.ts';

/** Who a rule is for, in words. */
export function whoText({ who, agent, alone }: Pick<Enforced, 'who' | 'agent' | 'alone'>): string {
  if (alone) return `agent ${agent} alone`;
  const person = who.kind === 'role' ? `role ${who.role}` : who.kind;
  return typeof agent === 'string' ? `agent ${agent} for ${person}` : person;
}

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

interface Named {
  readonly rule: Enforced;
  readonly who: string;
}

/** What a mesh without the assertion sees of a rule, but for the request. */
function seenOf(rule: Rule, { services, mesh }: Policy): string {
  return JSON.stringify([services[rule.service]?.authority, mesh?.identities[rule.as]?.spiffe]);
}

/**
 * Rules of other callers that a mesh without the assertion cannot tell from a rule: same identity, authority, and a
 * request in common.
 *
 * @param rules all that the mesh holds
 * @returns those of one of the rules
 */
export function indistinctIn(rules: readonly Enforced[], policy: Policy): (rule: Enforced) => readonly Enforced[] {
  // By their path, which most rules have in common with others.
  const seen = new Map<string, Map<Path, Named[]>>();
  for (const rule of rules) {
    const alike = seen.get(seenOf(rule, policy)) ?? new Map<Path, Named[]>();
    seen.set(seenOf(rule, policy), alike);
    const own = alike.get(rule.path) ?? [];
    alike.set(rule.path, own);
    own.push({ rule, who: whoText(rule) });
  }
  return (rule) => {
    const who = whoText(rule);
    const near = [...(seen.get(seenOf(rule, policy)) ?? [])].flatMap(([path, own]) =>
      overlap(rule.path, path) ? own : [],
    );
    return near.flatMap((other) => (other.who !== who && methodsMeet(rule, other.rule) ? [other.rule] : []));
  };
}

/** So many are named. */
const NAMES = 3;

/** Who shares what with a rule, and cannot be told from it. */
export function sharingText(rule: Enforced, others: readonly Enforced[], policy: Policy): string {
  const hosts = others.some((other) => other.host !== rule.host);
  const where = hosts ? ` and the authority ${policy.services[rule.service]?.authority}` : '';
  const named = others.slice(0, NAMES).map((other) => `${whoText(other)} (${other.id})`);
  const more = others.length - named.length;
  const names = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `${whoText(rule)} shares the identity ${rule.as}${where} with ${names} on the same requests`;
}

/** The rules of services in the mesh, each to be held by itself. */
export function meshRules(policy: Policy, rules: readonly Rule[]): readonly Enforced[] {
  return enforced(rules).filter((rule) => policy.services[rule.service]?.direct === undefined);
}
