import type { Policy } from '../../policy/types.ts';
import { compile } from '../../rules/compile.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { indistinctIn, meshRules, sharingText } from '../indistinct.ts';
import { encodableOf } from '../odd-paths.ts';
import { twiceText } from '../tool-messages.ts';
import type { Coverage, Gap } from '../types.ts';
import { uncounted } from '../uncounted.ts';
import { anonymousAssertions, unitedHosts, widerTexts } from '../wider.ts';
import { verifies } from './assertion.ts';

/** Rules that Envoy cannot tell from one of these; an assertion that it verifies tells all of them apart. */
function unclearIn(rules: readonly Enforced[], policy: Policy): (rule: Enforced) => readonly Enforced[] {
  return verifies(policy) === undefined ? indistinctIn(rules, policy) : () => [];
}

function widerText(rule: Enforced, others: readonly Enforced[], policy: Policy): string {
  return `Envoy sees the identity and not the role: ${sharingText(rule, others, policy)}; give one of them an identity of its own, or let Envoy verify the assertion (mesh.ingress.own.assertion_jwks_file), if the mesh has to tell them apart`;
}

/**
 * How well Envoy holds one rule by itself: it sees authority, path, method and the identity of the connection, so a
 * role is held only where its identity is its own, or where Envoy verifies the assertion; and a host only where no other
 * host leads to its service by other rules.
 */
export function covers(rule: Rule, policy: Policy): Coverage {
  const rules = meshRules(policy, compile(policy));
  if (policy.services[rule.service]?.direct !== undefined) {
    return { kind: 'none', text: `${rule.service} is reached directly and not through Envoy` };
  }
  const unclear = unclearIn(rules, policy);
  for (const one of rules) {
    if (writtenId(one.id) !== rule.id) continue;
    const others = unclear(one);
    if (others.length > 0) return { kind: 'wider', text: widerText(one, others, policy) };
    if (one.tools !== undefined) return { kind: 'wider', text: twiceText('Envoy') };
  }
  const texts = widerTexts(policy, rules, rule.id, 'Envoy', verifies(policy) !== undefined);
  return texts.length === 0 ? { kind: 'exact' } : { kind: 'wider', text: texts.join('; ') };
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
  const unclear = unclearIn(own, policy);
  const characters = encodableOf(own);
  const first = own.find((rule) => encodableOf([rule]).length > 0);
  return [
    ...directGaps(policy, rules),
    ...own.flatMap((rule): Gap[] => {
      const others = unclear(rule);
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
    ...own.flatMap(({ id, tools }) => (tools === undefined ? [] : [{ part: id, text: twiceText('Envoy') }])),
    ...unitedHosts(own, 'Envoy'),
    ...(verifies(policy) === undefined ? [] : anonymousAssertions(policy, own, 'Envoy')),
    ...uncounted(policy, 'Envoy'),
  ];
}
