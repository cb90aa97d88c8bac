import { type Hides, shownTo } from '../caller/roles/team-roles.ts';
import type { Caller } from '../caller/types.ts';
import type { Assertion } from '../policy/checked/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/forms/reserved-names.ts';

/** The service for which an assertion is made, and the mesh identity with which the request is sent. */
export interface AssertionUse {
  readonly service: string;
  /** The mesh identity; empty if nginx connects to the service directly. */
  readonly as: string;
  /** Whether the assertion names e-mail address and name: the service may act for the caller, and receives both in
   * headers. */
  readonly email?: boolean;
  readonly name?: boolean;
  /** The host that verified a client certificate, and the roles that require one; absent: no service acts for callers. */
  readonly certificate?: { readonly host: string; readonly roles: readonly string[] };
  /** Whether a role belongs to another team, so that the service does not learn of it. */
  readonly hides?: Hides | undefined;
}

/** JOSE `typ` of the gateway's assertions (RFC 8725 section 3.11), so that it is no other kind of token. */
export const ASSERTION_TYPE = 'meshgate+jwt';

/** The claim with each role and its holder, for meshes that can only compare strings. */
export const BY_ROLE = 'by_role';
/** The entry in that claim for every caller. No role has this name. */
export const EVERY_ROLE = 'authenticated';

/** The subject in assertions with which the gateway probes the mesh. No token can have it, and no service may act for it. */
export const PROBE_SUBJECT = 'meshgate:probe';

/** The claim of an agent that acts for no person, and its only value. It is a string because meshes compare strings. */
export const ALONE = 'alone';
export const IS_ALONE = 'true';

/** Returns the holder of the roles: a person, an agent for a person, or an agent alone. Names have no spaces. */
export const roleHolder = (agent: string | null | undefined, alone = false): string =>
  agent == null ? 'person' : `agent ${agent}${alone ? ' alone' : ''}`;

/** The claim that names the host which verified the certificate on which the caller or a role depends. */
export const CERTIFICATE_HOST = 'certificate_host';

type Standing = Pick<Caller, 'provider' | 'roles' | 'certificateHost'>;

/** Returns the host that verified the certificate, if it counts: see {@link trustsCertificate}. */
function verifiedBy({ certificateHost, provider, roles }: Standing, { certificate }: AssertionUse): string | undefined {
  if (certificateHost !== undefined || certificate === undefined) return certificateHost;
  const rests = provider === CERTIFICATE_PROVIDER || roles.some((role) => certificate.roles.includes(role));
  return rests ? certificate.host : undefined;
}

function byRole({ roles, agent, alone }: Pick<Caller, 'roles' | 'agent' | 'alone'>): Readonly<Record<string, string>> {
  return Object.fromEntries([EVERY_ROLE, ...roles].map((role) => [role, roleHolder(agent, alone)]));
}

/** Returns the actor chain as the claim `act` (RFC 8693 section 4.1). Each actor contains the actors before it. */
function actOf(actors: readonly string[]): unknown {
  return actors.reduceRight<unknown>((act, sub) => (act === undefined ? { sub } : { sub, act }), undefined);
}

/** Returns the claims of an assertion (RFC 7519 section 4.1). It has no `jti` and does not depend on a request, because
 * it is cached and sent many times. */
export function assertionClaims(
  assertion: Assertion,
  grant: AssertionUse,
  entire: Omit<Caller, 'groups' | 'claims'>,
  now: number,
): Readonly<Record<string, unknown>> {
  const caller = shownTo(entire, grant.hides);
  const { service, as, email, name } = grant;
  const certificateHost = verifiedBy(caller, grant);
  const iat = Math.floor(now);
  return {
    iss: assertion.issuer,
    aud: service,
    sub: caller.subject,
    provider: caller.provider,
    roles: caller.roles,
    ...(assertion.byRole && { [BY_ROLE]: byRole(caller) }),
    ...(as !== '' && { as }),
    ...(email && caller.email !== undefined && { email: caller.email }),
    ...(name && caller.name !== undefined && { name: caller.name }),
    ...(caller.agent !== undefined && { agent: caller.agent, act: actOf(caller.actors ?? []) }),
    ...(caller.alone && { [ALONE]: IS_ALONE }),
    ...(certificateHost !== undefined && { [CERTIFICATE_HOST]: certificateHost }),
    iat,
    exp: iat + assertion.lifetime,
  };
}
