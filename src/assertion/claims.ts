import type { Caller } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import type { Assertion } from '../policy/types.ts';

/** What an assertion says besides the caller: the service that it is for, and the mesh identity that the request is
 * sent with. */
export interface Grant {
  readonly service: string;
  /** Empty if nginx connects to the service directly. */
  readonly as: string;
  /** Whether it contains the e-mail address and the name: only if the service may act for the caller and receives them
   * in headers too. */
  readonly email?: boolean;
  readonly name?: boolean;
  /** The host that verified a client certificate, and the roles that require one; absent: no service acts for
   * callers. */
  readonly certificate?: { readonly host: string; readonly roles: readonly string[] };
}

/** JOSE `typ` of the gateway's assertions (RFC 8725 section 3.11), so that they are not accepted as tokens of another
 * kind. */
export const ASSERTION_TYPE = 'meshgate+jwt';

/** Claim with the roles for meshes that can only compare strings: role → its holder. */
export const BY_ROLE = 'by_role';
/** Entry of that claim for every caller; no role has this name. */
export const EVERY_ROLE = 'authenticated';

/** Claim of an agent without a person behind it, and its only value; meshes compare strings. */
export const ALONE = 'alone';
export const IS_ALONE = 'true';

/** The holder of the roles: a person, or an agent that acts for one. An agent that is alone has no roles. Names of
 * agents contain no spaces. */
export const holderOf = (agent: string | null | undefined, alone = false): string =>
  agent == null ? 'person' : `agent ${agent}${alone ? ' alone' : ''}`;

/** Claim with the host that verified the certificate which the caller, or one of the roles, depends on. */
export const CERTIFICATE_HOST = 'certificate_host';

type Standing = Pick<Caller, 'provider' | 'roles' | 'certificateHost'>;

/** Other hosts need not trust the CA of that host: {@link trustsCertificate} of the second hop compares the CAs. */
function certificateHostOf({ certificateHost, provider, roles }: Standing, { certificate }: Grant): string | undefined {
  if (certificateHost !== undefined || certificate === undefined) return certificateHost;
  const rests = provider === CERTIFICATE_PROVIDER || roles.some((role) => certificate.roles.includes(role));
  return rests ? certificate.host : undefined;
}

type Holder = Pick<Caller, 'roles' | 'agent' | 'alone'>;

function byRole({ roles, agent, alone }: Holder): Readonly<Record<string, string>> {
  return Object.fromEntries([EVERY_ROLE, ...roles].map((role) => [role, holderOf(agent, alone)]));
}

/** The actor chain as claim `act` (RFC 8693 section 4.1): each actor contains the earlier ones. */
function actOf(actors: readonly string[]): unknown {
  return actors.reduceRight<unknown>((act, sub) => (act === undefined ? { sub } : { sub, act }), undefined);
}

/** The claims of an assertion (RFC 7519 section 4.1). It has no `jti` and names no request, because it is cached and
 * sent many times.
 *
 * @param now seconds
 */
export function assertionClaims(
  assertion: Assertion,
  grant: Grant,
  caller: Pick<
    Caller,
    'provider' | 'subject' | 'roles' | 'email' | 'name' | 'agent' | 'alone' | 'actors' | 'certificateHost'
  >,
  now: number,
): Readonly<Record<string, unknown>> {
  const { service, as, email, name } = grant;
  const certificateHost = certificateHostOf(caller, grant);
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
