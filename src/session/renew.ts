import type { Claims } from '../token/types.ts';
import { type Freshness, hardEnd, isRefreshDue, isSealDue, isStale } from './freshness.ts';
import type { SessionClaims, SessionRecord } from './types.ts';

export type Step =
  /** Ask the provider, with the refresh token of the record. */
  | 'refresh'
  /** Use the claims of the record. They are newer, or the policy now selects other claims than those in the cookie. */
  | 'newest'
  /** Seal the same claims again. */
  | 'same'
  /** Do nothing. The cookie stays valid until its hard end. */
  | 'alone'
  /** The fresh time is over, and the provider was asked and returned no claims. */
  | 'stale'
  /** The provider has ended the session. */
  | 'ended';

/** The input of {@link nextStep}, besides the cookie and the record. */
export interface Renewing extends Freshness {
  /** Identifies the claims that the current policy selects. */
  readonly selection: string;
  /** False if the provider recently failed to answer, or if its last answer did not confirm this session. */
  readonly mayAsk: boolean;
}

/** Whether a record and a cookie belong to the same sign-in. A later sign-in keeps the session's id, but an earlier
 * cookie, perhaps a stolen copy, must not get the time or the authentication level of the later sign-in. */
export const isOfSignin = (record: SessionClaims, cookie: SessionClaims): boolean =>
  record.since === cookie.since && record.end === cookie.end;

export function nextStep(cookie: SessionClaims, record: SessionRecord | undefined, at: Renewing): Step {
  const { selection, policy, now } = at;
  if (now >= hardEnd(cookie, policy)) return 'alone';
  if (record?.ended) return 'ended';
  // If the record is older than the cookie, its refresh token was already used.
  if (record !== undefined && isOfSignin(record.session, cookie) && record.session.gen >= cookie.gen) {
    const asks = at.mayAsk && record.refreshToken !== undefined && !record.silent;
    if (asks && isRefreshDue(record.session, at)) return 'refresh';
    if (record.suspended && isStale(record.session, at)) return 'stale';
    if (record.session.gen > cookie.gen || cookie.selection !== selection) return 'newest';
  }
  const keeps = cookie.selection === selection && !isStale(cookie, at);
  return keeps && isSealDue(cookie, policy, now) ? 'same' : 'alone';
}

/** Whether a refresh was sent and its answer is not known. If no request waits for the answer any more, it is lost. */
export const isUnanswered = (record: SessionRecord): boolean =>
  record.lost === true && record.refreshToken !== undefined;

/** The result of a refresh. `away`: the provider has an outage, so no session can be renewed now. */
export type Refreshed =
  /** The provider confirmed the session. `claims` are all claims that it returned. */
  | {
      readonly kind: 'confirmed';
      readonly claims: Claims;
      /** Whether claims are missing because the answer had no ID token. Then the next page request gets an ID token. */
      readonly partly?: true;
      readonly psid?: string;
      readonly refreshToken?: string;
      readonly idToken?: string;
    }
  /** The refresh succeeded, but the answer contains no claims. The policy limits how old the claims may become. */
  | { readonly kind: 'unconfirmed'; readonly detail: string; readonly refreshToken?: string }
  /** The session is over: see `isOfPerson`, or the answer is about another person or an agent. */
  | { readonly kind: 'over'; readonly detail: string }
  /** The claims are not known now. The refresh token was not used, so the gateway can try again with it. */
  | { readonly kind: 'unused'; readonly detail: string; readonly away?: true }
  /** The provider did not return the claims, so the present ones count only for their fresh time. `limited`: the token
   * endpoint has too many calls, about this person or about everyone. */
  | { readonly kind: 'unsaid'; readonly detail: string; readonly refreshToken?: string; readonly limited?: true }
  /** The refresh token was sent, and the result is not known. Not `away`: the provider says that it has succeeded, but
   * not what it says of the person, so the present claims count only for their fresh time. */
  | { readonly kind: 'lost'; readonly detail: string; readonly away?: true };

/** A function that selects the claims for a cookie. */
export type Choose = (claims: Claims, provider: string) => Claims;

/** Returns the record after the provider has confirmed the session. */
export function confirmed(
  record: SessionRecord,
  answer: Refreshed & { readonly kind: 'confirmed' },
  choose: Choose,
  { selection, policy, now }: Renewing,
): SessionRecord {
  const { session, host } = record;
  const { claims } = answer;
  const seconds = Math.floor(now);
  const refreshToken = answer.refreshToken ?? record.refreshToken;
  const idToken = answer.idToken ?? record.idToken;
  const psid = answer.psid ?? session.psid;
  return {
    session: {
      ...session,
      ...(psid !== undefined && { psid }),
      selection,
      gen: session.gen + 1,
      sealed: seconds,
      fresh: answer.partly ? seconds : Math.min(seconds + policy.fresh, session.end),
      claims: choose(claims, session.provider),
    },
    host,
    claims,
    ...(answer.partly && { silent: true as const }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(idToken !== undefined && { idToken }),
  };
}

/** Returns the session of a record, with the claims that the current policy selects. */
export function sessionOf(record: SessionRecord, choose: Choose, { selection, now }: Renewing): SessionClaims {
  const { session } = record;
  const sealed = Math.floor(now);
  if (session.selection === selection) return { ...session, sealed };
  return { ...session, selection, sealed, claims: choose(record.claims, session.provider) };
}

/** Marks the record before its refresh token is sent. If no answer comes, the token is not sent again. */
export const sending = (record: SessionRecord): SessionRecord => ({ ...record, lost: true });

/** Returns the record after a refresh that left the refresh token unused or returned a new one. */
export function unused(record: SessionRecord, refreshToken = record.refreshToken): SessionRecord {
  const { lost: _, ...rest } = record;
  return { ...rest, ...(refreshToken !== undefined && { refreshToken }) };
}

/** Returns the record after a refresh that confirmed nothing. The gateway does not refresh this session again. */
export const unconfirmed = (record: SessionRecord, refreshToken = record.refreshToken): SessionRecord => ({
  ...unused(record, refreshToken),
  silent: true,
});

/** Returns the record after a refresh whose answer was lost: providers treat a second use of its token as theft.
 * @param suspended whether the provider answered, but without claims */
export function withoutToken(record: SessionRecord, suspended = false): SessionRecord {
  const { refreshToken: _, ...rest } = record;
  return { ...rest, lost: true, ...(suspended && { suspended }) };
}

/** Returns the record of a session that the provider has ended. It also ends older cookies of the session. */
export function ended({ session, host }: SessionRecord): SessionRecord {
  return { session: { ...session, claims: {} }, host, claims: {}, ended: true };
}
