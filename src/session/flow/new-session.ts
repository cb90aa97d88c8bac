import { claimAt } from '../../base/claim-at.ts';
import { composed } from '../../base/composed-key.ts';
import { MAX_CLOCK_SKEW } from '../../policy/forms/bounds.ts';
import type { Claims } from '../../token/types.ts';
import type { SessionClaims } from '../types.ts';
import type { Mode } from './attempt.ts';
import { randomText, sha256 } from './random.ts';

interface Lifetimes {
  readonly absolute: number;
  readonly fresh: number;
}

/** Returns when the person signed in, according to the provider, at most the present time; 0 if it does not say. */
function signedIn(authTime: unknown, at: number): number {
  if (typeof authTime !== 'number' || !(authTime > 0) || authTime > at + MAX_CLOCK_SKEW) return 0;
  return Math.min(Math.floor(authTime), at);
}

/** Makes a new session with a new id.
 * @param provider the provider at which the person signed in
 * @param idToken claims of the ID token
 * @param kept the claims that the cookie keeps; `selection` identifies the policy that selected them
 * @param times in seconds since the epoch; `began` is when the sign-in began: a later sign-out ends the session, even if
 * the provider answers only then */
export function newSession(
  { name, issuer }: { readonly name: string; readonly issuer: string },
  idToken: Claims,
  { claims, selection }: { readonly claims: Claims; readonly selection: string },
  { absolute, fresh, now, began }: Lifetimes & { readonly now: number; readonly began: number },
): SessionClaims {
  const at = Math.floor(now);
  const { sid: psid, auth_time: authTime } = idToken;
  return {
    sid: randomText(16),
    provider: name,
    issuer,
    ...(typeof psid === 'string' && psid !== '' && { psid }),
    selection,
    gen: 0,
    since: Math.min(began, at),
    authTime: signedIn(authTime, at),
    sealed: at,
    fresh: at + fresh,
    end: at + absolute,
    claims,
  };
}

/** Whether two sessions belong to the same person at the same provider.
 * @param subject the claim that identifies a person */
export function isOfSamePerson(one: SessionClaims, other: SessionClaims, subject: string): boolean {
  const who = claimAt(one.claims, subject);
  return (
    one.provider === other.provider &&
    one.issuer === other.issuer &&
    who !== undefined &&
    who === claimAt(other.claims, subject)
  );
}

/** Returns the session with the id that belongs to an attempt and its person. If a person signs in with several tabs at
 * once, the tabs do not know each other's cookies. Their oldest attempt gives all their sessions the same id, so a
 * revocation ends all these cookies.
 * @param subject the claim that identifies a person */
export function underAttempt(session: SessionClaims, attempt: string, subject: string): SessionClaims {
  const who = claimAt(session.claims, subject);
  if (who === undefined) return session;
  return { ...session, sid: sha256(composed('session', attempt, session.provider, String(who))).slice(0, 22) };
}

/** Returns the session that follows an earlier one of the same person in the same browser. The id stays, so a
 * revocation ends all cookies of the session. A silent renewal is not a sign-in, so its time and the absolute end
 * stay. */
export function continued(session: SessionClaims, before: SessionClaims, mode: Mode): SessionClaims {
  const { sid, since, cut } = before;
  const { cut: _, ...rest } = session;
  const gen = before.gen + 1;
  if (mode !== 'renew') return { ...session, sid, gen };
  const end = Math.min(session.end, before.end);
  const fresh = Math.min(session.fresh, end);
  return { ...rest, sid, gen, since, fresh, end, ...(cut !== undefined && { cut }) };
}
