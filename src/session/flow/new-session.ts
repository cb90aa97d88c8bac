import { claimAt } from '../../claim-at.ts';
import { MAX_CLOCK_SKEW } from '../../limits.ts';
import type { Claims } from '../../token/types.ts';
import type { SessionClaims } from '../types.ts';
import { randomText } from './random.ts';

/** How long a session lasts, seconds. */
export interface Lifetimes {
  readonly absolute: number;
  readonly fresh: number;
}

/**
 * When somebody signed in, as the provider says; a clock that is ahead of ours makes nobody fresher than fresh. Zero where
 * it does not say: it may have let them in by a sign-in of long ago.
 */
function signedIn(authTime: unknown, at: number): number {
  if (typeof authTime !== 'number' || !(authTime > 0) || authTime > at + MAX_CLOCK_SKEW) return 0;
  return Math.min(Math.floor(authTime), at);
}

/**
 * A new session, under an id that nobody has had before.
 *
 * @param idToken claims of the ID token
 * @param kept the claims that the cookie keeps
 * @param selection of the policy that chose them
 * @param now seconds since the epoch
 * @param began when the sign-in did: one that began before a sign-out ends with it, whenever the provider answers
 */
export function newSession(
  provider: string,
  idToken: Claims,
  kept: Claims,
  selection: string,
  { absolute, fresh }: Lifetimes,
  now: number,
  began: number,
): SessionClaims {
  const at = Math.floor(now);
  const { sid: psid, auth_time: authTime } = idToken;
  return {
    sid: randomText(16),
    provider,
    ...(typeof psid === 'string' && psid !== '' && { psid }),
    selection,
    gen: 0,
    since: Math.min(began, at),
    authTime: signedIn(authTime, at),
    sealed: at,
    fresh: at + fresh,
    end: at + absolute,
    claims: kept,
  };
}

/**
 * A session that the provider confirmed in silence: nobody has signed in, so it ends when the one before would have. For
 * somebody else it is a new one.
 *
 * @param before the session that was renewed; absent: there is none any more
 * @param subject the claim that says who somebody is
 */
export function continued(session: SessionClaims, before: SessionClaims | undefined, subject: string): SessionClaims {
  if (before === undefined || before.provider !== session.provider || before.end >= session.end) return session;
  const who = claimAt(session.claims, subject);
  if (who === undefined || who !== claimAt(before.claims, subject)) return session;
  return { ...session, fresh: Math.min(session.fresh, before.end), end: before.end };
}
