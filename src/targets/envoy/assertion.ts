import { ALONE, IS_ALONE } from '../../assertion/claims.ts';
import { TO_SERVICE } from '../../base/internal-headers.ts';
import type { Assertion, Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { EnvoyAuthority } from './domains.ts';

const JWT_AUTHN = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** The name of the filter. The rules find the verified claims under this name. */
export const JWT_FILTER = 'envoy.filters.http.jwt_authn';
const PAYLOAD = 'assertion';

/** The settings with which Envoy verifies assertions. */
interface Verifies extends Assertion {
  readonly jwksFile: string;
}

/** How Envoy verifies the gateway's assertion; undefined if the policy lacks a setting for it. */
export function verifies({ gateway, mesh }: Policy): Verifies | undefined {
  const jwksFile = mesh?.ingress.own?.assertionJwksFile;
  return gateway.assertion === undefined || jwksFile === undefined ? undefined : { ...gateway.assertion, jwksFile };
}

/** Verifies the assertion if a request has one. Envoy denies a request with an invalid assertion; the rules decide on
 * the claims of a valid one. Each service accepts only assertions with its own audience. */
export function jwtFilter(
  policy: Policy,
  { issuer, jwksFile }: Verifies,
  authorities: readonly EnvoyAuthority[],
): unknown {
  const provider = ({ service }: EnvoyAuthority) => [
    service.name,
    {
      issuer,
      audiences: [service.name],
      from_headers: [{ name: TO_SERVICE.assertion }],
      forward: true,
      payload_in_metadata: PAYLOAD,
      // Envoy reads 0 as its default, which is a minute. So the smallest value is 1.
      clock_skew_seconds: Math.max(1, policy.gateway.clockSkew),
      local_jwks: { filename: jwksFile },
    },
  ];
  const rules = ({ service, domains }: EnvoyAuthority) =>
    domains.map((exact) => ({
      match: { prefix: '/', headers: [{ name: ':authority', string_match: { exact } }] },
      requires: { requires_any: { requirements: [{ provider_name: service.name }, { allow_missing: {} }] } },
    }));
  return {
    name: JWT_FILTER,
    typed_config: {
      '@type': JWT_AUTHN,
      providers: Object.fromEntries(authorities.map(provider)),
      rules: authorities.flatMap(rules),
    },
  };
}

/** A condition for a claim, in the forms that meshgate renders. */
export interface ClaimValue {
  readonly string_match?: { readonly exact: string };
  readonly list_match?: { readonly one_of: { readonly string_match: { readonly exact: string } } };
  readonly present_match?: true;
}

function claim(name: string, value: ClaimValue) {
  const metadata_matcher = { filter: JWT_FILTER, path: [{ key: PAYLOAD }, { key: name }], value };
  return { sourced_metadata: { metadata_matcher } };
}

type Claim = ReturnType<typeof claim>;

/** A condition of a rule for the assertion. */
export type ClaimPrincipal = Claim | { readonly not_id: Claim };

function actingPrincipals({ agent, alone }: Pick<Enforced, 'agent' | 'alone'>): readonly ClaimPrincipal[] {
  if (agent === undefined) return [];
  if (agent === null) return [{ not_id: claim('agent', { present_match: true }) }];
  const named = claim('agent', { string_match: { exact: agent } });
  return alone ? [named, claim(ALONE, { string_match: { exact: IS_ALONE } })] : [named];
}

/** The conditions of a rule for the assertion: the identity of the connection, the role, and the agent. If the policy
 * has agents, no rule for people accepts the assertion of an agent. */
export function assertionPrincipals(rule: Pick<Enforced, 'who' | 'as' | 'agent' | 'alone'>): readonly ClaimPrincipal[] {
  const { who, as } = rule;
  const acting = actingPrincipals(rule);
  const travels = claim('as', { string_match: { exact: as } });
  if (who.kind === 'role') {
    return [travels, claim('roles', { list_match: { one_of: { string_match: { exact: who.role } } } }), ...acting];
  }
  return who.kind === 'authenticated' ? [travels, ...acting] : acting;
}
