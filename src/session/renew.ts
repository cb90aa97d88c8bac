import type { SessionPolicy } from '../policy/types.ts';
import type { Claims } from '../token/types.ts';
import { hardEnd, isRefreshDue, isSealDue, isStale } from './freshness.ts';
import type { SessionClaims, SessionRecord } from './types.ts';

/** What is to be done about a cookie that asks for its renewal. */
export type Step =
  /** The provider is asked, with the record's refresh token. */
  | 'refresh'
  /** The record says more than the cookie, or chooses anew for another policy. */
  | 'newest'
  /** The same again, sealed now. */
  | 'same'
  /** Nothing here: the cookie stands until its hard end. */
  | 'alone'
  /** The provider ended it. */
  | 'ended';

/** What the decision goes by. */
export interface Renewing {
  /** The policy's selection of claims now. */
  readonly selection: string;
  readonly policy: SessionPolicy;
  /** Seconds since the epoch. */
  readonly now: number;
  /** False where the provider is not to be asked now: it did not answer lately, or had nothing to say of this session. */
  readonly mayAsk: boolean;
}

/**
 * Whether a record is of the sign-in that a cookie is of. A later sign-in keeps the session's id: to an earlier cookie,
 * which may be a copy, it gives neither its time nor its level.
 */
export const isOfSignin = (record: SessionClaims, cookie: SessionClaims): boolean =>
  record.since === cookie.since && record.end === cookie.end;

/**
 * Decides what to do about a session's cookie.
 *
 * @param record what is kept of the session here, if anything is
 */
export function nextStep(cookie: SessionClaims, record: SessionRecord | undefined, at: Renewing): Step {
  const { selection, policy, now } = at;
  if (now >= hardEnd(cookie, policy)) return 'alone';
  if (record?.ended) return 'ended';
  // A record that is older than the cookie holds a refresh token that was used up.
  if (record !== undefined && isOfSignin(record.session, cookie) && record.session.gen >= cookie.gen) {
    const asks = at.mayAsk && record.refreshToken !== undefined && !record.silent;
    if (asks && isRefreshDue(record.session, policy, now)) return 'refresh';
    if (record.session.gen > cookie.gen || cookie.selection !== selection) return 'newest';
  }
  const keeps = cookie.selection === selection && !isStale(cookie, now);
  return keeps && isSealDue(cookie, policy, now) ? 'same' : 'alone';
}

/** A refresh was sent, and its answer is not known yet; where nobody waits for one any more, it is lost. */
export const isUnanswered = (record: SessionRecord): boolean =>
  record.lost === true && record.refreshToken !== undefined;

/** Errors that speak of the client, the request or the provider itself (RFC 6749 section 5.2, RFC 8707, RFC 9449). */
const NOT_OF_PERSON: readonly string[] = [
  ...['invalid_client', 'unauthorized_client', 'invalid_client_metadata', 'unapproved_software_statement'],
  ...['invalid_request', 'unsupported_grant_type', 'unsupported_response_type', 'invalid_scope', 'invalid_target'],
  ...['invalid_dpop_proof', 'use_dpop_nonce', 'server_error', 'temporarily_unavailable', 'service_unavailable'],
  ...['slow_down', 'too_many_requests', 'request_timeout'],
];

/**
 * Whether an error of the token endpoint is about the person or the grant, so that the session is over: `invalid_grant`,
 * `access_denied` (Okta, Auth0), `interaction_required` (Entra), `login_required`, `consent_required` and any other that
 * does not speak of the client, the request or an outage.
 *
 * @param status of the answer; one that says "later" speaks of nobody
 */
export const isOfPerson = (error: string, status: number): boolean =>
  [400, 401, 403].includes(status) && !NOT_OF_PERSON.includes(error);

/** Errors that the provider gives to each session alike: it does not know the gateway, or says that it is away. */
const OF_ALL: readonly string[] = ['invalid_client', 'server_error', 'temporarily_unavailable', 'service_unavailable'];

/** Whether the next session would hear the same: what is said of one person or grant keeps no other from being renewed. */
export const isOfAll = (error: string): boolean => OF_ALL.includes(error);

/** The provider itself is away, so that no session is renewed by it just now. */
interface MaybeAway {
  readonly away?: true;
}

/** What a provider's answer to a refresh came to. */
export type Refreshed =
  /** It holds; `claims` are all that it gave. */
  | {
      readonly kind: 'confirmed';
      readonly claims: Claims;
      /** Without an ID token some claims are not said: they are gone, and the next page asks for an ID token. */
      readonly partly?: true;
      readonly psid?: string;
      readonly refreshToken?: string;
      readonly idToken?: string;
    }
  /** It holds, and nothing was said of the person: how old the claims may be is the policy's to say. */
  | { readonly kind: 'unconfirmed'; readonly detail: string; readonly refreshToken?: string }
  /** The provider refuses the person or the grant, see {@link isOfPerson}, or the answer is another person's or an agent's. */
  | { readonly kind: 'over'; readonly detail: string }
  /** Nothing is known of the claims now, and may be later: with the same refresh token, which was not used. */
  | ({ readonly kind: 'unused'; readonly detail: string } & MaybeAway)
  /**
   * The provider is there, but did not say the claims: they do not count longer than they are fresh. `limited`: its token
   * endpoint has had too many calls, about this person or about all.
   */
  | { readonly kind: 'unsaid'; readonly detail: string; readonly refreshToken?: string; readonly limited?: true }
  /** It was sent, and what became of it is not known. */
  | ({ readonly kind: 'lost'; readonly detail: string } & MaybeAway);

/** How claims are chosen for a cookie. */
export type Choose = (claims: Claims, provider: string) => Claims;

/** The record after the provider confirmed the session. */
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

/** The session of a record as a cookie says it now, by the policy of now. */
export function sessionOf(record: SessionRecord, choose: Choose, { selection, now }: Renewing): SessionClaims {
  const { session } = record;
  const sealed = Math.floor(now);
  if (session.selection === selection) return { ...session, sealed };
  return { ...session, selection, sealed, claims: choose(record.claims, session.provider) };
}

/** The record with a mark that its refresh token is being used: if no answer comes, it is not used again. */
export const sending = (record: SessionRecord): SessionRecord => ({ ...record, lost: true });

/** The record after a refresh that did not use its token up, or gave another. */
export function unused(record: SessionRecord, refreshToken = record.refreshToken): SessionRecord {
  const { lost: _, ...rest } = record;
  return { ...rest, ...(refreshToken !== undefined && { refreshToken }) };
}

/** The record after a refresh that confirms nothing: the provider is not asked in this way again. */
export const unconfirmed = (record: SessionRecord, refreshToken = record.refreshToken): SessionRecord => ({
  ...unused(record, refreshToken),
  silent: true,
});

/** The record after a refresh whose answer was lost: the provider may have used the token up, and takes a second use for a theft. */
export function withoutToken(record: SessionRecord): SessionRecord {
  const { refreshToken: _, ...rest } = record;
  return { ...rest, lost: true };
}

/** What is left of a session that the provider ended: its older cookies find it. */
export function ended({ session, host }: SessionRecord): SessionRecord {
  return { session: { ...session, claims: {} }, host, claims: {}, ended: true };
}
