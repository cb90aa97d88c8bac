import { claimAt } from '../../claim-at.ts';
import { composed } from '../../composed.ts';
import { MAX_CLOCK_SKEW } from '../../policy/bounds.ts';
import type { Claims } from '../../token/types.ts';
import type { SessionClaims } from '../types.ts';
import type { Mode } from './attempt.ts';
import { randomText, sha256 } from './random.ts';

/** How long a session lasts, seconds. */
export interface Lifetimes {
  readonly absolute: number;
  readonly fresh: number;
}

/** When the person signed in, as the provider says it, but never later than now. Zero if the provider does not say it:
 * the sign-in may be long ago. */
function signedIn(authTime: unknown, at: number): number {
  if (typeof authTime !== 'number' || !(authTime > 0) || authTime > at + MAX_CLOCK_SKEW) return 0;
  return Math.min(Math.floor(authTime), at);
}

/** A new session with a new id.
 *
 * @param idToken claims of the ID token
 * @param kept the claims that the cookie keeps
 * @param selection of the policy that selected them
 * @param now seconds since the epoch
 * @param began when the sign-in began: a sign-out after that ends it, even if the provider answers later
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

/** Whether two sessions belong to one person at one provider.
 *
 * @param subject the claim that identifies a person
 */
export function isOfSamePerson(one: SessionClaims, other: SessionClaims, subject: string): boolean {
  const who = claimAt(one.claims, subject);
  return one.provider === other.provider && who !== undefined && who === claimAt(other.claims, subject);
}

/**
 * A session under the id that an attempt gives to its person. Several tabs may finish a first sign-in at once, each
 * without the cookie of the others: by their oldest attempt they come to one id, and what ends the session ends each
 * cookie.
 *
 * @param subject the claim that says who a person is
 */
export function underAttempt(session: SessionClaims, attempt: string, subject: string): SessionClaims {
  const who = claimAt(session.claims, subject);
  if (who === undefined) return session;
  return { ...session, sid: sha256(composed('session', attempt, session.provider, String(who))).slice(0, 22) };
}

/**
 * The session that follows one of the same person in the same browser. It keeps the id: whatever ends the session then
 * ends each cookie that it ever had. A silent renewal is no sign-in, so it counts from the sign-in before, and ends when
 * that session would have.
 */
export function continued(session: SessionClaims, before: SessionClaims, mode: Mode): SessionClaims {
  const { sid, since, cut } = before;
  const { cut: _, ...rest } = session;
  const gen = before.gen + 1;
  if (mode !== 'renew') return { ...session, sid, gen };
  const end = Math.min(session.end, before.end);
  const fresh = Math.min(session.fresh, end);
  return { ...rest, sid, gen, since, fresh, end, ...(cut !== undefined && { cut }) };
}
