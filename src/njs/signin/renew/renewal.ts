import { composed } from '../../../base/composed-key.ts';
import { isStale } from '../../../session/freshness.ts';
import {
  LIMITED_MS,
  LIMITED_PEOPLE,
  MAX_RENEWAL_WAITERS,
  MAX_RENEWALS,
  PROVIDER_PAUSE_MS,
  WAIT_FOR_RENEWAL_MS,
} from '../../../session/limits.ts';
import {
  type Choose,
  confirmed,
  ended,
  isOfSignin,
  isUnanswered,
  nextStep,
  type Refreshed,
  type Renewing,
  type Step,
  sending,
  sessionOf,
  unconfirmed,
  unused,
  withoutToken,
} from '../../../session/renew.ts';
import type { Lock, SessionStore } from '../../../session/revocation/store.ts';
import type { SessionClaims, SessionRecord } from '../../../session/types.ts';
import type { Claims } from '../../../token/types.ts';
import { locksDict, renewalsDict } from '../../shared/dicts.ts';
import { holdUpTo, release } from '../../shared/held.ts';
import { sayOnce } from '../../shared/say-once.ts';
import { addPerson } from '../people.ts';

export interface RenewalContext {
  readonly store: SessionStore;
  /** How long a renewal may hold the lock of its session, in milliseconds. */
  readonly longest: number;
  /** Milliseconds between two reads of the store by a waiting request. */
  readonly look: number;
  readonly choose: Choose;
  /** Asks the provider once. It never throws. */
  refresh(record: SessionRecord): Promise<Refreshed>;
  /** @param claims all claims of the person, if they are known */
  isRevoked(session: SessionClaims, claims?: Claims): boolean;
  /** Whether the policy still has the provider of a session, with the same issuer.
   * @param claims all claims of the person, if they are known: the policy may have given up their tenant */
  knows(session: SessionClaims, claims?: Claims): boolean;
  /** Revokes a session that its provider ended, so that it stays ended without a record. It never throws. */
  end(session: SessionClaims): Promise<void>;
  readonly policy: Renewing['policy'];
  readonly skew: Renewing['skew'];
  readonly selection: string;
}

/** The result of a renewal, for one cookie. */
type Renewal =
  | { readonly kind: 'session'; readonly session: SessionClaims }
  /** `stale`: the fresh time is over, and the source of the claims did not answer. */
  | { readonly kind: 'alone' | 'ended' | 'stale' }
  /** The provider is asked by `go` after the answer, or another request is already asking it. */
  | { readonly kind: 'going'; readonly go?: () => Promise<void> };

const alone: Renewal = { kind: 'alone' };

/** Names of two counters of a provider: renewals that continue after the answer, and requests that wait. */
const RENEWING = 'renewing';
const WAITING = 'waiting renewal';

/** Returns the key of the mark that a provider is not asked for some time, in general or about one session. */
const paused = (what: string): string => composed('pause', what);

/** Returns the key of the mark that the source of a session's claims did not answer. */
const unsaid = (sid: string): string => composed('unsaid', sid);

/** Returns the name of a set of people, as bits: those for which a provider limited its calls, in a row. */
const limited = (provider: string): string => composed('limited', provider);

/** Whether a provider rejects calls about every person because there are too many calls. */
const isLimitedForAll = ({ session, claims }: SessionRecord): boolean =>
  addPerson(limited(session.provider), String(claims.sub ?? session.sid), LIMITED_MS) >= LIMITED_PEOPLE;

/** Renews sessions. Of all workers and replicas, only one renews a session at a time, even if many cookies need it. */
export class Renewals {
  readonly #context: RenewalContext;

  constructor(context: RenewalContext) {
    this.#context = context;
  }

  /** Longer than a wait and a renewal together, because a request that has waited can renew after that. */
  get #held(): number {
    return WAIT_FOR_RENEWAL_MS + this.#context.longest;
  }

  #at({ provider, sid }: SessionClaims): Renewing {
    const { policy, skew, selection } = this.#context;
    const mayAsk = !locksDict().has(paused(provider)) && !renewalsDict().has(paused(sid));
    return { policy, skew, selection, now: Date.now() / 1000, mayAsk };
  }

  #step(cookie: SessionClaims, record: SessionRecord | undefined): Step {
    return nextStep(cookie, record, this.#at(cookie));
  }

  /** Returns the result of a step without asking the provider. If the step would ask, the result is `alone`. */
  #without(step: Step, cookie: SessionClaims, record: SessionRecord | undefined): Renewal {
    if (step === 'same') return { kind: 'session', session: { ...cookie, sealed: Math.floor(Date.now() / 1000) } };
    if (step === 'newest' && record !== undefined) {
      return { kind: 'session', session: sessionOf(record, this.#context.choose, this.#at(cookie)) };
    }
    return step === 'ended' || step === 'stale' ? { kind: step } : alone;
  }

  /** Returns the record after a failed refresh. A provider that does not answer, or has too many calls, is not asked
   * for some time: otherwise each session would wait for it or lose its refresh token. If the problem concerns one
   * session, only that session is not renewed for some time. */
  #after(record: SessionRecord, outcome: Exclude<Refreshed, { kind: 'confirmed' }>): SessionRecord {
    const { provider, sid } = record.session;
    if (outcome.kind === 'over') {
      ngx.log(ngx.WARN, `meshgate: provider ${provider} ends a session: ${outcome.detail}`);
      return ended(record);
    }
    if (outcome.kind === 'unconfirmed') {
      const line = `provider ${provider} confirms no session: ${outcome.detail}`;
      sayOnce(composed('all', provider), ngx.WARN, line);
      return unconfirmed(record, outcome.refreshToken);
    }
    if (outcome.kind === 'unsaid' ? outcome.limited && isLimitedForAll(record) : outcome.away) {
      if (outcome.kind === 'unsaid') renewalsDict().delete(unsaid(sid));
      if (locksDict().add(paused(provider), 1, PROVIDER_PAUSE_MS))
        ngx.log(ngx.WARN, `meshgate: sessions are not renewed by provider ${provider} just now: ${outcome.detail}`);
    } else {
      renewalsDict().add(paused(sid), 1, PROVIDER_PAUSE_MS);
      // The mark outlasts the pause and the next attempt together, so that it stays until that attempt has its answer.
      if (outcome.kind === 'unsaid') renewalsDict().set(unsaid(sid), 1, PROVIDER_PAUSE_MS + this.#context.longest);
      const line = `a session is not renewed by provider ${provider} just now: ${outcome.detail}`;
      sayOnce(composed('one', provider), ngx.WARN, line);
    }
    if (outcome.kind === 'unsaid') return unused(record, outcome.refreshToken);
    return outcome.kind === 'unused' ? unused(record) : withoutToken(record, !outcome.away);
  }

  /** Returns the result for a cookie: `stale` if its claims were not confirmed before the end of the fresh time. */
  #inTime(renewal: Renewal, cookie: SessionClaims): Renewal {
    if (renewal.kind !== 'session' && renewal.kind !== 'alone') return renewal;
    const session = renewal.kind === 'session' ? renewal.session : cookie;
    const { policy, skew } = this.#context;
    const isOver = isStale(session, { policy, skew, now: Date.now() / 1000 }) && renewalsDict().has(unsaid(cookie.sid));
    return isOver ? { kind: 'stale' } : renewal;
  }

  async #keep(record: SessionRecord): Promise<void> {
    await this.#context.store.put(record, Math.max(1, record.session.end - Date.now() / 1000));
  }

  /** Asks the provider while it holds the lock. */
  async #lead(cookie: SessionClaims): Promise<Renewal> {
    const { store, choose } = this.#context;
    const before = await store.get(cookie.sid);
    const step = this.#step(cookie, before);
    if (step !== 'refresh' || before === undefined) return this.#without(step, cookie, before);
    if (isUnanswered(before)) {
      // The request that sent the refresh token was lost, and with it the answer.
      const left = withoutToken(before);
      await this.#keep(left);
      return this.#without(this.#step(cookie, left), cookie, left);
    }
    // This is recorded before the token is sent. If the worker dies in between, the answer is lost.
    await this.#keep(sending(before));
    const outcome = await this.#context.refresh(before);
    const revoked = this.#context.isRevoked(before.session, before.claims);
    if (outcome.kind !== 'unsaid' || !outcome.limited) locksDict().delete(limited(cookie.provider));
    if (outcome.kind === 'confirmed') renewalsDict().delete(unsaid(cookie.sid));
    const isConfirmed = outcome.kind === 'confirmed';
    const after = isConfirmed ? confirmed(before, outcome, choose, this.#at(cookie)) : this.#after(before, outcome);
    if (revoked) {
      await store.delete(cookie.sid);
      return { kind: 'ended' };
    }
    try {
      const kept = await store.get(cookie.sid);
      // After another sign-in of the person, the record belongs to that sign-in and is not replaced.
      if (kept === undefined || isOfSignin(kept.session, before.session)) await this.#keep(after);
    } catch (error) {
      // The stored record says that this token must not be used again.
      ngx.log(ngx.WARN, `meshgate: a renewed session is not stored: ${(error as Error).message}`);
    }
    if (after.ended) {
      await this.#context.end(before.session);
      return { kind: 'ended' };
    }
    if (outcome.kind === 'confirmed') return { kind: 'session', session: after.session };
    return this.#without(this.#step(cookie, after), cookie, after);
  }

  #leadAndRelease(cookie: SessionClaims, lock: Lock): Promise<Renewal> {
    return this.#lead(cookie).finally(() => lock.release());
  }

  /** Waits until the request that asks the provider has the answer, and asks itself if that request died early. */
  async #wait(cookie: SessionClaims): Promise<Renewal> {
    const { store, look } = this.#context;
    const until = Date.now() + WAIT_FOR_RENEWAL_MS;
    while (Date.now() < until) {
      await new Promise<void>((resolve) => setTimeout(resolve, look));
      const record = await store.get(cookie.sid);
      const step = this.#step(cookie, record);
      if (step !== 'refresh') return this.#without(step, cookie, record);
      if (record !== undefined && isUnanswered(record)) continue;
      const lock = await store.lock(cookie.sid, this.#context.longest);
      if (lock !== undefined) return this.#leadAndRelease(cookie, lock);
    }
    return alone;
  }

  /** Renews a session.
   * @param host the host of the cookie
   * @param wait whether to wait for the answer; otherwise the provider is asked after the response
   * @throws Error with one line for the log if the store does not answer */
  async renew(cookie: SessionClaims, host: string, wait: boolean): Promise<Renewal> {
    return this.#inTime(await this.#renew(cookie, host, wait), cookie);
  }

  async #renew(cookie: SessionClaims, host: string, wait: boolean): Promise<Renewal> {
    const { store, isRevoked, knows, longest } = this.#context;
    if (isRevoked(cookie)) return { kind: 'ended' };
    // Another provider can have the name now. It must get no token of this session, and its people are others.
    if (!knows(cookie)) return alone;
    const found = await store.get(cookie.sid);
    const record = found?.host === host && found.session.issuer === cookie.issuer ? found : undefined;
    // A revocation can name a claim that the cookie does not have.
    if (record !== undefined && isRevoked(cookie, record.claims)) return { kind: 'ended' };
    if (record !== undefined && !knows(cookie, record.claims)) return alone;
    const step = this.#step(cookie, record);
    if (step !== 'refresh') return this.#without(step, cookie, record);
    const lock = await store.lock(cookie.sid, longest);
    if (lock === undefined) return wait ? this.#waitInTurn(cookie) : { kind: 'going' };
    if (wait) return this.#leadAndRelease(cookie, lock);
    const place = holdUpTo(MAX_RENEWALS, this.#held, RENEWING, cookie.provider);
    if (place === undefined) {
      await lock.release();
      return { kind: 'going' };
    }
    const go = async () => {
      await this.#leadAndRelease(cookie, lock).finally(() => release(place));
    };
    return { kind: 'going', go };
  }

  async #waitInTurn(cookie: SessionClaims): Promise<Renewal> {
    const place = holdUpTo(MAX_RENEWAL_WAITERS, this.#held, WAITING, cookie.provider);
    if (place === undefined) return alone;
    return this.#wait(cookie).finally(() => release(place));
  }
}
