import type { Policy, Who } from '../../policy/types.ts';
import { compile } from '../../rules/compile.ts';
import { overlap } from '../../rules/cover.ts';
import type { Rule } from '../../rules/types.ts';
import type { Coverage, Gap } from '../types.ts';
import { verifies } from './assertion.ts';
import { meshRules } from './domains.ts';
import { encodableOf } from './rbac.ts';

const whoText = (who: Who): string => (who.kind === 'role' ? `role ${who.role}` : who.kind);

const sameWho = (a: Who, b: Who): boolean => whoText(a) === whoText(b);

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/**
 * Rules of other callers that Envoy cannot tell from this one: same identity, authority, and a request in common. An
 * assertion that it verifies tells all of them apart.
 */
function indistinct(rule: Rule, rules: readonly Rule[], policy: Policy): readonly Rule[] {
  if (verifies(policy) !== undefined) return [];
  const authority = policy.services[rule.service]?.authority;
  const spiffe = policy.mesh?.identities[rule.as]?.spiffe;
  return rules.filter(
    (other) =>
      other !== rule &&
      !sameWho(other.who, rule.who) &&
      policy.mesh?.identities[other.as]?.spiffe === spiffe &&
      policy.services[other.service]?.authority === authority &&
      methodsMeet(rule, other) &&
      overlap(rule.path, other.path),
  );
}

function widerText(rule: Rule, others: readonly Rule[], policy: Policy): string {
  const hosts = others.some((other) => other.host !== rule.host);
  const where = hosts ? ` and the authority ${policy.services[rule.service]?.authority}` : '';
  const names = others.map((other) => `${whoText(other.who)} (${other.id})`).join(', ');
  return `Envoy sees the identity and not the role: ${whoText(rule.who)} shares the identity ${rule.as}${where} with ${names} on the same requests; give one of them an identity of its own, or let Envoy verify the assertion (mesh.ingress.own.assertion_jwks_file), if the mesh has to tell them apart`;
}

/**
 * How well Envoy holds one rule by itself: it sees authority, path, method and the identity of the connection, so a
 * role is held only where its identity is its own, or where Envoy verifies the assertion.
 */
export function covers(rule: Rule, policy: Policy): Coverage {
  const rules = meshRules(policy, compile(policy));
  if (policy.services[rule.service]?.direct !== undefined) {
    return { kind: 'none', text: `${rule.service} is reached directly and not through Envoy` };
  }
  const others = indistinct(rule, rules, policy).filter((other) => other.id !== rule.id);
  return others.length === 0 ? { kind: 'exact' } : { kind: 'wider', text: widerText(rule, others, policy) };
}

function directGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const direct = new Set(rules.filter((rule) => policy.services[rule.service]?.direct).map((rule) => rule.service));
  return [...direct].map((name) => ({
    part: `services.${name}`,
    text: 'reached directly and not through Envoy, which does not guard it',
  }));
}

/** All that Envoy does not hold, or holds differently. */
export function gapsOf(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const own = meshRules(policy, rules);
  const characters = encodableOf(own);
  const first = own.find((rule) => encodableOf([rule]).length > 0);
  return [
    ...directGaps(policy, rules),
    ...own.flatMap((rule): Gap[] => {
      const others = indistinct(rule, own, policy);
      return others.length === 0 ? [] : [{ part: rule.id, text: widerText(rule, others, policy) }];
    }),
    ...(first === undefined
      ? []
      : [
          {
            part: first.id,
            text: `Envoy matches paths without decoding them: it refuses those where a client percent-encodes ${characters.join(' ')}, which paths of the policy hold`,
          },
        ]),
  ];
}
