import type { Caller } from '../caller/types.ts';
import type { Assertion } from '../policy/types.ts';
import type { Grant } from './types.ts';

/** JOSE `typ` of our assertions (RFC 8725 section 3.11): nobody takes one for a token of another kind. */
export const ASSERTION_TYPE = 'meshgate+jwt';

/**
 * What an assertion says (RFC 7519 section 4.1). It has no `jti` and names no request: it is cached, and sent many times.
 *
 * @param now seconds
 */
export function assertionClaims(
  { issuer, lifetime }: Assertion,
  { service, as }: Grant,
  caller: Pick<Caller, 'provider' | 'subject' | 'roles'>,
  now: number,
): Readonly<Record<string, unknown>> {
  const iat = Math.floor(now);
  return {
    iss: issuer,
    aud: service,
    sub: caller.subject,
    provider: caller.provider,
    roles: caller.roles,
    ...(as !== '' && { as }),
    iat,
    exp: iat + lifetime,
  };
}
