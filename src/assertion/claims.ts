import type { Caller } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import type { Assertion } from '../policy/types.ts';
import type { Grant } from './types.ts';

/** JOSE `typ` of our assertions (RFC 8725 section 3.11): nobody takes one for a token of another kind. */
export const ASSERTION_TYPE = 'meshgate+jwt';

/** Claim with the roles for who can compare strings only: role → whose it is. */
export const BY_ROLE = 'by_role';
/** What stands there beside the roles, for every caller; no role has this name. */
export const EVERY_ROLE = 'authenticated';

/** Claim of an agent that asks for itself, and its only value: meshes compare texts. */
export const ALONE = 'alone';
export const IS_ALONE = 'true';

/**
 * Whose roles they are: a person's own, or those that an agent has of one; an agent that is alone has none. No name of
 * an agent has a space in it.
 */
export const holderOf = (agent: string | null | undefined, alone = false): string =>
  agent == null ? 'person' : `agent ${agent}${alone ? ' alone' : ''}`;

/** Claim of the host that verified the certificate which the caller, or a role of theirs, rests on. */
export const CERTIFICATE_HOST = 'certificate_host';

type Standing = Pick<Caller, 'provider' | 'roles' | 'certificateHost'>;

/** No other host has to trust the CA of that one: {@link trustsCertificate} of the second hop compares the two. */
function certificateHostOf({ certificateHost, provider, roles }: Standing, { certificate }: Grant): string | undefined {
  if (certificateHost !== undefined || certificate === undefined) return certificateHost;
  const rests = provider === CERTIFICATE_PROVIDER || roles.some((role) => certificate.roles.includes(role));
  return rests ? certificate.host : undefined;
}

type Holder = Pick<Caller, 'roles' | 'agent' | 'alone'>;

function byRole({ roles, agent, alone }: Holder): Readonly<Record<string, string>> {
  return Object.fromEntries([EVERY_ROLE, ...roles].map((role) => [role, holderOf(agent, alone)]));
}

/** The chain of who acts, as claim `act` (RFC 8693 section 4.1): each with those before it inside. */
function actOf(actors: readonly string[]): unknown {
  return actors.reduceRight<unknown>((act, sub) => (act === undefined ? { sub } : { sub, act }), undefined);
}

/**
 * What an assertion says (RFC 7519 section 4.1). It has no `jti` and names no request: it is cached, and sent many times.
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
