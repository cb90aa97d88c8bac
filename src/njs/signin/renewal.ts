import hash from 'crypto';
import { composed } from '../../composed.ts';
import { REPEAT_LINE_S } from '../../limits.ts';
import { isStale } from '../../session/freshness.ts';
import {
  LIMITED_BITS,
  LIMITED_MS,
  LIMITED_PEOPLE,
  LOCK_RENEWAL_MS,
  MAX_RENEWAL_WAITERS,
  MAX_RENEWALS,
  PROVIDER_PAUSE_MS,
  WAIT_FOR_RENEWAL_MS,
} from '../../session/limits.ts';
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
} from '../../session/renew.ts';
import type { Lock, SessionStore } from '../../session/store.ts';
import type { SessionClaims, SessionRecord } from '../../session/types.ts';
import { locksDict, renewalsDict } from '../dicts.ts';
import { holdUpTo, release } from '../held.ts';

/** What renewals need. The parts that depend on the provider and on sealing are passed in. */
export interface RenewalScene {
  readonly store: SessionStore;
  /** Milliseconds between two reads of the store by a waiting request. */
  readonly look: number;
  readonly choose: Choose;
  /** Asks the provider, once. Never throws. */
  refresh(record: SessionRecord): Promise<Refreshed>;
  /** Whether a session is revoked.
   *
   * @param sub the provider's name for the person, if it is known
   */
  isRevoked(session: SessionClaims, sub?: unknown): boolean;
  /** Revokes a session that its provider ended, so that it stays ended after its record is gone. Never throws. */
  end(session: SessionClaims): Promise<void>;
  readonly policy: Renewing['policy'];
  readonly selection: string;
}

/** The result for a cookie. */
export type Renewal =
  | { readonly kind: 'session'; readonly session: SessionClaims }
  | { readonly kind: 'alone' }
  | { readonly kind: 'ended' }
  /** The fresh time is over, and the source of the claims did not answer. */
  | { readonly kind: 'stale' }
  /** The provider is asked by {@link Going.go} after the answer, or is being asked by another request. */
  | Going;

interface Going {
  readonly kind: 'going';
  readonly go?: () => Promise<void>;
}

const alone: Renewal = { kind: 'alone' };

/** A provider's renewals after the answer that are under way, and requests that wait for one, on all workers. */
const RENEWING = 'renewing';
const WAITING = 'waiting renewal';

/** Longer than either takes: a request that has waited may then renew. */
const HELD_MS = WAIT_FOR_RENEWAL_MS + LOCK_RENEWAL_MS;

/** Key of the mark that a provider, or a session, must not be asked for a while. */
const paused = (what: string): string => composed('pause', what);

/** Key of the mark that the source of a session's claims did not answer. */
const unsaid = (sid: string): string => composed('unsaid', sid);

/** Longer than the pause and the next attempt: the mark stays until that attempt has its answer. */
const UNSAID_MS = PROVIDER_PAUSE_MS + LOCK_RENEWAL_MS;

/** Name of the set of people whom a provider told in a row that there were too many calls: each is one of its bits. */
const limited = (provider: string): string => composed('limited', provider);

const bitOf = (person: string): number =>
  1 << (Number.parseInt(hash.createHash('sha256').update(person).digest('hex').slice(0, 8), 16) % LIMITED_BITS);

/** How many bits of a set are set. */
function countOf(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/**
 * Whether a provider has too many calls whoever is asked about. A worker that overwrites what another one has just noted
 * needs one person more.
 */
function isLimitedForAll({ session, claims }: SessionRecord): boolean {
  const name = limited(session.provider);
  const people = (locksDict().get(name) ?? 0) | bitOf(String(claims.sub ?? session.sid));
  locksDict().set(name, people, LIMITED_MS);
  return countOf(people) >= LIMITED_PEOPLE;
}

/** One renewal at a time for each session, however many of its cookies ask, on all workers and replicas. */
export class Renewals {
  readonly #scene: RenewalScene;

  constructor(scene: RenewalScene) {
    this.#scene = scene;
  }

  #at({ provider, sid }: SessionClaims): Renewing {
    const { policy, selection } = this.#scene;
    const mayAsk = !locksDict().has(paused(provider)) && !renewalsDict().has(paused(sid));
    return { policy, selection, now: Date.now() / 1000, mayAsk };
  }

  #step(cookie: SessionClaims, record: SessionRecord | undefined): Step {
    return nextStep(cookie, record, this.#at(cookie));
  }

  /** The result of a step that does not ask the provider. */
  #without(step: Exclude<Step, 'refresh'>, cookie: SessionClaims, record: SessionRecord | undefined): Renewal {
    if (step === 'same') return { kind: 'session', session: { ...cookie, sealed: Math.floor(Date.now() / 1000) } };
    if (step === 'newest' && record !== undefined) {
      return { kind: 'session', session: sessionOf(record, this.#scene.choose, this.#at(cookie)) };
    }
    return step === 'ended' ? { kind: 'ended' } : alone;
  }

  /**
   * A provider that does not answer, or has too many calls, is left alone for a while: each session that asks would wait
   * for it, or lose its token. What it says of one session alone keeps only that one from asking again.
   */
  #after(record: SessionRecord, outcome: Exclude<Refreshed, { kind: 'confirmed' }>): SessionRecord {
    const { provider, sid } = record.session;
    if (outcome.kind === 'over') {
      ngx.log(ngx.WARN, `meshgate: provider ${provider} ends a session: ${outcome.detail}`);
      return ended(record);
    }
    if (outcome.kind === 'unconfirmed') {
      if (locksDict().add(composed('said of all', provider), 1, REPEAT_LINE_S * 1000)) {
        ngx.log(ngx.WARN, `meshgate: provider ${provider} confirms no session: ${outcome.detail}`);
      }
      return unconfirmed(record, outcome.refreshToken);
    }
    if (outcome.kind === 'unsaid' ? outcome.limited && isLimitedForAll(record) : outcome.away) {
      if (outcome.kind === 'unsaid') renewalsDict().delete(unsaid(sid));
      if (locksDict().add(paused(provider), 1, PROVIDER_PAUSE_MS))
        ngx.log(ngx.WARN, `meshgate: sessions are not renewed by provider ${provider} just now: ${outcome.detail}`);
    } else {
      renewalsDict().add(paused(sid), 1, PROVIDER_PAUSE_MS);
      if (outcome.kind === 'unsaid') renewalsDict().set(unsaid(sid), 1, UNSAID_MS);
      if (locksDict().add(composed('said of one', provider), 1, REPEAT_LINE_S * 1000))
        ngx.log(ngx.WARN, `meshgate: a session is not renewed by provider ${provider} just now: ${outcome.detail}`);
    }
    if (outcome.kind === 'unsaid') return unused(record, outcome.refreshToken);
    return outcome.kind === 'unused' ? unused(record) : withoutToken(record);
  }

  /** What comes of a cookie; of one whose claims were not confirmed in time, that it is stale. */
  #inTime(renewal: Renewal, cookie: SessionClaims): Renewal {
    if (renewal.kind !== 'session' && renewal.kind !== 'alone') return renewal;
    const session = renewal.kind === 'session' ? renewal.session : cookie;
    const isOver = isStale(session, Date.now() / 1000) && renewalsDict().has(unsaid(cookie.sid));
    return isOver ? { kind: 'stale' } : renewal;
  }

  async #keep(record: SessionRecord): Promise<void> {
    await this.#scene.store.put(record, Math.max(1, record.session.end - Date.now() / 1000));
  }

  /** Asks the provider, while holding the lock. */
  async #lead(cookie: SessionClaims): Promise<Renewal> {
    const { store, choose } = this.#scene;
    const before = await store.get(cookie.sid);
    const step = this.#step(cookie, before);
    if (step !== 'refresh' || before === undefined)
      return this.#without(step as Exclude<Step, 'refresh'>, cookie, before);
    if (isUnanswered(before)) {
      // The request that sent it is gone, and so is the answer.
      const left = withoutToken(before);
      await this.#keep(left);
      return this.#without(this.#step(cookie, left) as Exclude<Step, 'refresh'>, cookie, left);
    }
    // Recorded before it is sent: if the worker dies meanwhile, the answer is lost.
    await this.#keep(sending(before));
    const outcome = await this.#scene.refresh(before);
    const revoked = this.#scene.isRevoked(before.session, before.claims.sub);
    if (outcome.kind !== 'unsaid' || !outcome.limited) locksDict().delete(limited(cookie.provider));
    if (outcome.kind === 'confirmed') renewalsDict().delete(unsaid(cookie.sid));
    const after =
      outcome.kind === 'confirmed'
        ? confirmed(before, outcome, choose, this.#at(cookie))
        : this.#after(before, outcome);
    if (revoked) {
      await store.delete(cookie.sid);
      return { kind: 'ended' };
    }
    try {
      const kept = await store.get(cookie.sid);
      // If the person has signed in again meanwhile, the record belongs to that sign-in.
      if (kept === undefined || isOfSignin(kept.session, before.session)) await this.#keep(after);
    } catch (error) {
      // The stored record says that the token must not be used again.
      ngx.log(ngx.WARN, `meshgate: a renewed session is not stored: ${(error as Error).message}`);
    }
    if (after.ended) {
      await this.#scene.end(before.session);
      return { kind: 'ended' };
    }
    if (outcome.kind === 'confirmed') return { kind: 'session', session: after.session };
    return this.#without(this.#step(cookie, after) as Exclude<Step, 'refresh'>, cookie, after);
  }

  async #leadAndRelease(cookie: SessionClaims, lock: Lock): Promise<Renewal> {
    try {
      return await this.#lead(cookie);
    } finally {
      await lock.release();
    }
  }

  /** Waits until the request that asks the provider has the answer; takes over if it died before it asked. */
  async #wait(cookie: SessionClaims): Promise<Renewal> {
    const { store, look } = this.#scene;
    const until = Date.now() + WAIT_FOR_RENEWAL_MS;
    while (Date.now() < until) {
      await new Promise<void>((resolve) => setTimeout(resolve, look));
      const record = await store.get(cookie.sid);
      const step = this.#step(cookie, record);
      if (step !== 'refresh') return this.#without(step, cookie, record);
      if (record !== undefined && isUnanswered(record)) continue;
      const lock = await store.lock(cookie.sid, LOCK_RENEWAL_MS);
      if (lock !== undefined) return this.#leadAndRelease(cookie, lock);
    }
    return alone;
  }

  /** Renews a session.
   *
   * @param host of the cookie
   * @param wait whether to wait for the answer; else the provider is asked afterwards
   * @throws Error with one line for the log if the store does not answer
   */
  async renew(cookie: SessionClaims, host: string, wait: boolean): Promise<Renewal> {
    return this.#inTime(await this.#renew(cookie, host, wait), cookie);
  }

  async #renew(cookie: SessionClaims, host: string, wait: boolean): Promise<Renewal> {
    const { store, isRevoked } = this.#scene;
    if (isRevoked(cookie)) return { kind: 'ended' };
    const found = await store.get(cookie.sid);
    const record = found?.host === host ? found : undefined;
    const step = this.#step(cookie, record);
    if (step !== 'refresh') return this.#without(step, cookie, record);
    const lock = await store.lock(cookie.sid, LOCK_RENEWAL_MS);
    if (lock === undefined) return wait ? this.#waitInTurn(cookie) : { kind: 'going' };
    if (wait) return this.#leadAndRelease(cookie, lock);
    const place = holdUpTo(MAX_RENEWALS, HELD_MS, RENEWING, cookie.provider);
    if (place === undefined) {
      await lock.release();
      return { kind: 'going' };
    }
    const go = async () => {
      try {
        await this.#leadAndRelease(cookie, lock);
      } finally {
        release(place);
      }
    };
    return { kind: 'going', go };
  }

  async #waitInTurn(cookie: SessionClaims): Promise<Renewal> {
    const place = holdUpTo(MAX_RENEWAL_WAITERS, HELD_MS, WAITING, cookie.provider);
    if (place === undefined) return alone;
    try {
      return await this.#wait(cookie);
    } finally {
      release(place);
    }
  }
}
