import type { Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { directGaps } from '../kit/gaps.ts';
import type { Enforcement } from '../kit/mesh.ts';
import { connectionOf, indistinctIn, meshRules, sharingText } from '../kit/rules.ts';
import { twiceText } from '../kit/tool-messages.ts';
import type { Gap } from '../types.ts';
import { verifies } from './assertion.ts';

/** Returns the rules that Envoy cannot distinguish from a given rule. If Envoy verifies assertions, there are none. */
function sharingIn(policy: Policy, rules: readonly Enforced[]): (rule: Enforced) => readonly string[] {
  if (verifies(policy) !== undefined) return () => [];
  const indistinct = indistinctIn(rules, connectionOf(policy));
  return (rule) => {
    const others = indistinct(rule);
    if (others.length === 0) return [];
    return [
      `Envoy sees the identity and not the role: ${sharingText(rule, others, policy)}; if the mesh must distinguish them, give one of them its own identity, or let Envoy verify the assertion (mesh.ingress.own.assertion_jwks_file)`,
    ];
  };
}

/** The rules that Envoy enforces. It sees the authority, the path, the method and the identity of the connection. So it
 * enforces a role only if no other caller uses the role's identity, or if it verifies the assertion. */
export function enforcedByEnvoy(policy: Policy, rules: readonly Rule[]): Enforcement {
  const own = meshRules(policy, rules);
  const sharing = sharingIn(policy, own);
  return {
    rules: own,
    wider: (rule) => [...sharing(rule), ...(rule.tools === undefined ? [] : [twiceText('Envoy')])],
  };
}

export const envoyToolGaps = (rules: readonly Enforced[]): readonly Gap[] =>
  rules.flatMap(({ id, tools }) => (tools === undefined ? [] : [{ part: id, text: twiceText('Envoy') }]));

/** The gaps that only Envoy has. */
export function envoyGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const own = meshRules(policy, rules);
  const sharing = sharingIn(policy, own);
  return [
    ...directGaps(policy, rules, 'nginx connects to the service directly, so Envoy does not enforce its rules'),
    ...own.flatMap((rule) => sharing(rule).map((text) => ({ part: rule.id, text }))),
  ];
}
