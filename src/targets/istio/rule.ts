import type { Assertion, Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Path, Rule } from '../../rules/types.ts';

/** Istio's `AuthorizationPolicy` rule, the forms that are used here. */
export interface IstioRule {
  readonly from: readonly [{ readonly source: { readonly principals: readonly string[] } }];
  readonly to: readonly [{ readonly operation: Operation }];
  readonly when?: readonly Condition[];
}

export interface Operation {
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly paths: readonly string[];
  readonly notPaths?: readonly string[];
}

export interface Condition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

/** Istio writes SPIFFE ids without their scheme. */
export const principalOf = (spiffe: string): string => spiffe.replace(/^spiffe:\/\//, '');

/** The SPIFFE id that a rule connects with. */
export function spiffeOf(policy: Policy, rule: Rule): string {
  const identity = policy.mesh?.identities[rule.as];
  if (identity === undefined) throw new Error(`istio: rule ${rule.id} names an undefined identity`);
  return identity.spiffe;
}

/** Istio's patterns of some paths: a `*` at the end is any text, so a prefix on a segment needs two. */
export function patterns(path: Path): readonly string[] {
  if ('exact' in path) return [path.exact];
  return path.prefix === '' ? ['/*'] : [path.prefix, `${path.prefix}/*`];
}

/** Name of a claim of the verified assertion, as conditions have it. */
export const claim = (name: string): string => `request.auth.claims[${name}]`;

/** An agent's assertion passes by rules of that agent only. */
function agentConditions({ agent }: Enforced): readonly Condition[] {
  if (agent === undefined) return [];
  return [agent === null ? { key: claim('agent'), notValues: ['*'] } : { key: claim('agent'), values: [agent] }];
}

/** What the assertion has to say; nothing for `anyone`, where there are no agents. */
function conditions(rule: Enforced, assertion: Assertion | undefined): readonly Condition[] {
  const { who } = rule;
  if (assertion === undefined) return [];
  if (who.kind === 'anyone') return agentConditions(rule);
  return [
    // The ingress may verify tokens of others too, and their claims look the same to a rule.
    { key: claim('iss'), values: [assertion.issuer] },
    { key: claim('aud'), values: [rule.service] },
    { key: claim('as'), values: [rule.as] },
    ...(who.kind === 'role' ? [{ key: claim('roles'), values: [who.role] }] : []),
    ...agentConditions(rule),
  ];
}

/**
 * One rule as Istio takes it.
 *
 * @param principal who connects
 * @param hosts what the request may be for; undefined where that is no question, at the workload itself
 */
export function istioRule(
  rule: Enforced,
  principal: string,
  hosts: readonly string[] | undefined,
  assertion: Assertion | undefined,
): IstioRule {
  const { path, methods } = rule;
  const except = 'except' in path ? path.except.flatMap(patterns) : [];
  const when = conditions(rule, assertion);
  return {
    from: [{ source: { principals: [principal] } }],
    to: [
      {
        operation: {
          ...(hosts && { hosts }),
          ...(methods && { methods }),
          paths: patterns(path),
          ...(except.length > 0 && { notPaths: except }),
        },
      },
    ],
    ...(when.length > 0 && { when }),
  };
}
