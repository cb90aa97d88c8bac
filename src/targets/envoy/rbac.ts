import type { Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { RULES_FILTER } from '../kit/guards.ts';
import { encodableOf } from '../kit/non-canonical-paths.ts';
import { meshRules, spiffeOf } from '../kit/rules.ts';
import { assertionPrincipals, verifies } from './assertion.ts';
import { domainsOf, type EnvoyAuthority } from './domains.ts';
import { type EnvoyPermission, headerIn, nonCanonicalPermissions, pathPermissions } from './permission.ts';
import { toolPermission } from './tools.ts';

const RBAC = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';
const MTLS = 'type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config';

/** The names of the two filters. */
const DENY_FILTER = 'meshgate.non_canonical_paths';
export const ALLOW_FILTER = RULES_FILTER;

export interface RbacPolicy {
  readonly permissions: readonly EnvoyPermission[];
  readonly principals: readonly unknown[];
}

/** Matches a verified certificate with exactly this SPIFFE id. */
export const principal = (spiffe: string) => ({
  custom: {
    name: 'envoy.rbac.principals.mtls_authenticated',
    typed_config: { '@type': MTLS, san_matcher: { san_type: 'URI', matcher: { exact: spiffe } } },
  },
});

/** The SPIFFE ids of the connections that a rule needs. */
export const spiffeIds = (policy: Policy, rules: readonly Rule[]): readonly string[] => [
  ...new Set(meshRules(policy, rules).map((rule) => spiffeOf(policy, rule))),
];

/** A rule, with what Envoy sees of it. */
interface Seen extends Pick<Enforced, 'path' | 'methods' | 'tools'> {
  /** The Host headers that Envoy accepts. */
  readonly domains: readonly string[];
  /** The SPIFFE id of the connection. */
  readonly spiffe: string;
  /** The conditions for the assertion. Empty: Envoy does not read the assertion. */
  readonly says: readonly unknown[];
}

/** Renders a rule in the only form that the reader accepts. */
export function rbacPolicy({ domains, path, methods, tools, spiffe, says }: Seen): RbacPolicy {
  const rules = [
    headerIn(':authority', domains),
    ...pathPermissions(path),
    ...(methods === undefined ? [] : [headerIn(':method', methods)]),
    ...(tools === undefined ? [] : [toolPermission(tools)]),
  ];
  const connects = principal(spiffe);
  const principals = [says.length === 0 ? connects : { and_ids: { ids: [connects, ...says] } }];
  return { permissions: [{ and_rules: { rules } }], principals };
}

const filter = (name: string, action: 'ALLOW' | 'DENY', policies: Readonly<Record<string, RbacPolicy>>): unknown => ({
  name,
  typed_config: { '@type': RBAC, rules: { action, policies } },
});

/** The two filters with the rules. The first denies paths that are not canonical. In the second, each rule is a policy
 * that allows requests; all other requests are denied. */
export function rbacFilters(
  policy: Policy,
  rules: readonly Rule[],
  authorities: readonly EnvoyAuthority[],
): readonly unknown[] {
  const own = meshRules(policy, rules);
  const unexpected = { permissions: nonCanonicalPermissions(encodableOf(own)), principals: [{ any: true }] };
  const allowed = own.map((rule) => {
    const says = verifies(policy) === undefined ? [] : assertionPrincipals(rule);
    const seen = { ...rule, domains: domainsOf(rule, authorities), spiffe: spiffeOf(policy, rule), says };
    return [rule.id, rbacPolicy(seen)] as const;
  });
  return [
    filter(DENY_FILTER, 'DENY', { 'path-not-canonical': unexpected }),
    filter(ALLOW_FILTER, 'ALLOW', Object.fromEntries(allowed)),
  ];
}
