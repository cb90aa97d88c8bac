import type { Caller } from '../caller/types.ts';
import type { Assertion } from '../policy/types.ts';
import type { Grant } from './types.ts';

/** JOSE `typ` of our assertions (RFC 8725 section 3.11): nobody takes one for a token of another kind. */
export const ASSERTION_TYPE = 'meshgate+jwt';

/** Claim with the roles for who can compare strings only: role → whose it is. */
export const BY_ROLE = 'by_role';
/** What stands there beside the roles, for every caller; no role has this name. */
export const EVERY_ROLE = 'authenticated';

/** Whose roles they are: a person's own, or those that an agent has of one. No name of an agent has a space in it. */
export const holderOf = (agent: string | null | undefined): string => (agent == null ? 'person' : `agent ${agent}`);

function byRole({ roles, agent }: Pick<Caller, 'roles' | 'agent'>): Readonly<Record<string, string>> {
  return Object.fromEntries([EVERY_ROLE, ...roles].map((role) => [role, holderOf(agent)]));
}

/**
 * What an assertion says (RFC 7519 section 4.1). It has no `jti` and names no request: it is cached, and sent many times.
 *
 * @param now seconds
 */
export function assertionClaims(
  assertion: Assertion,
  { service, as }: Grant,
  caller: Pick<Caller, 'provider' | 'subject' | 'roles' | 'agent'>,
  now: number,
): Readonly<Record<string, unknown>> {
  const iat = Math.floor(now);
  return {
    iss: assertion.issuer,
    aud: service,
    sub: caller.subject,
    provider: caller.provider,
    roles: caller.roles,
    ...(assertion.byRole && { [BY_ROLE]: byRole(caller) }),
    ...(as !== '' && { as }),
    iat,
    exp: iat + assertion.lifetime,
  };
}
