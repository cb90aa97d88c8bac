import type { Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../kit/odd-paths.ts';
import { meshRules, spiffeOf } from '../kit/rules.ts';
import { assertionPrincipals, verifies } from './assertion.ts';
import { type Authority, domainsOf } from './domains.ts';
import { headerIn, oddPaths, type Permission, pathPermissions } from './permission.ts';
import { toolPermission } from './tools.ts';

const RBAC = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';
const MTLS = 'type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config';

/** Names of the two filters. */
export const DENY_FILTER = 'meshgate.non_canonical_paths';
export const ALLOW_FILTER = 'meshgate.rules';

export interface RbacPolicy {
  readonly permissions: readonly Permission[];
  readonly principals: readonly unknown[];
}

/** Matches a verified certificate with exactly this SPIFFE id. */
export const principal = (spiffe: string) => ({
  custom: {
    name: 'envoy.rbac.principals.mtls_authenticated',
    typed_config: { '@type': MTLS, san_matcher: { san_type: 'URI', matcher: { exact: spiffe } } },
  },
});

/** The SPIFFE ids of connections for some rule. */
export function spiffeIds(policy: Policy, rules: readonly Rule[]): readonly string[] {
  return [...new Set(meshRules(policy, rules).map((rule) => spiffeOf(policy, rule)))];
}

/** A rule as Envoy sees it. */
export interface Seen extends Pick<Enforced, 'path' | 'methods' | 'tools'> {
  /** Accepted Host headers. */
  readonly domains: readonly string[];
  /** SPIFFE id of the connection. */
  readonly spiffe: string;
  /** Conditions for the assertion; empty: it is not read. */
  readonly says: readonly unknown[];
}

/** The one form in which a rule is rendered. */
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

const seenOf = (policy: Policy, rule: Enforced, authorities: readonly Authority[]): Seen => ({
  path: rule.path,
  ...(rule.methods && { methods: rule.methods }),
  ...(rule.tools && { tools: rule.tools }),
  domains: domainsOf(rule, authorities),
  spiffe: spiffeOf(policy, rule),
  says: verifies(policy) === undefined ? [] : assertionPrincipals(rule),
});

function filter(name: string, action: 'ALLOW' | 'DENY', policies: Readonly<Record<string, RbacPolicy>>): unknown {
  return { name, typed_config: { '@type': RBAC, rules: { action, policies } } };
}

/** Two filters: first paths that are not canonical are denied, then each rule is a policy that allows. What none allows
 * is denied. */
export function rbacFilters(
  policy: Policy,
  rules: readonly Rule[],
  authorities: readonly Authority[],
): readonly unknown[] {
  const own = meshRules(policy, rules);
  const odd = { permissions: oddPaths(encodableOf(own)), principals: [{ any: true }] };
  return [
    filter(DENY_FILTER, 'DENY', { 'path-not-canonical': odd }),
    filter(
      ALLOW_FILTER,
      'ALLOW',
      Object.fromEntries(own.map((rule) => [rule.id, rbacPolicy(seenOf(policy, rule, authorities))])),
    ),
  ];
}
