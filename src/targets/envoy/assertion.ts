import { ALONE, IS_ALONE } from '../../assertion/claims.ts';
import { TO_SERVICE } from '../../internal-headers.ts';
import type { Assertion, Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Authority } from './domains.ts';

const JWT_AUTHN = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** Name of the filter, under which it leaves what it read to the rules. */
export const JWT_FILTER = 'envoy.filters.http.jwt_authn';
const PAYLOAD = 'assertion';

/** What Envoy verifies assertions by, if the policy says both sides. */
export interface Verifies extends Assertion {
  readonly jwksFile: string;
}

/** How Envoy verifies the gateway's assertion; undefined if it does not. */
export function verifies({ gateway, mesh }: Policy): Verifies | undefined {
  const jwksFile = mesh?.ingress.own?.assertionJwksFile;
  return gateway.assertion === undefined || jwksFile === undefined ? undefined : { ...gateway.assertion, jwksFile };
}

/**
 * Verifies an assertion where there is one: a bad one is refused, and what a good one says is left to the rules. Each
 * service takes its own audience only.
 */
export function jwtFilter(policy: Policy, { issuer, jwksFile }: Verifies, authorities: readonly Authority[]): unknown {
  const provider = ({ service }: Authority) => [
    service.name,
    {
      issuer,
      audiences: [service.name],
      from_headers: [{ name: TO_SERVICE.assertion }],
      forward: true,
      payload_in_metadata: PAYLOAD,
      // Nought would be Envoy's default, a minute.
      clock_skew_seconds: Math.max(1, policy.gateway.clockSkew),
      local_jwks: { filename: jwksFile },
    },
  ];
  const rules = ({ service, domains }: Authority) =>
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

/** What a claim has to be, in the forms that are used here. */
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

/** What a rule asks of the assertion. */
export type ClaimPrincipal = Claim | { readonly not_id: Claim };

function actingPrincipals({ agent, alone }: Pick<Enforced, 'agent' | 'alone'>): readonly ClaimPrincipal[] {
  if (agent === undefined) return [];
  if (agent === null) return [{ not_id: claim('agent', { present_match: true }) }];
  const named = claim('agent', { string_match: { exact: agent } });
  return alone ? [named, claim(ALONE, { string_match: { exact: IS_ALONE } })] : [named];
}

/**
 * What the assertion of a rule's requests says: the identity that it travels with, the role, and the agent. Where the
 * policy has agents, no assertion of one passes by a rule of people's.
 */
export function assertionPrincipals(rule: Pick<Enforced, 'who' | 'as' | 'agent' | 'alone'>): readonly ClaimPrincipal[] {
  const { who, as } = rule;
  const acting = actingPrincipals(rule);
  const travels = claim('as', { string_match: { exact: as } });
  if (who.kind === 'role') {
    return [travels, claim('roles', { list_match: { one_of: { string_match: { exact: who.role } } } }), ...acting];
  }
  return who.kind === 'authenticated' ? [travels, ...acting] : acting;
}
