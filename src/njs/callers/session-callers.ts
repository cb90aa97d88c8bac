import { composed } from '../../base/composed-key.ts';
import { FROM_CHECK, TO_CHECK } from '../../base/internal-headers.ts';
import { refuse } from '../../base/reasons.ts';
import { ownSession, setCookie } from '../../session/cookie.ts';
import { PROVIDER, SID } from '../../session/cookie-claims.ts';
import { RENEWAL_PAUSE_S } from '../../session/limits.ts';
import { SESSION_COOKIE } from '../../session/names.ts';
import { type AcceptingPlace, type Answered, type CheckHandlers, isForeign, requestedHost } from '../check/handlers.ts';
import { renewalsDict } from '../shared/dicts.ts';
import { askRenewal } from './ask-renewal.ts';
import { type KnownSession, listedOf, type Opened, type OpenedSession, type Sessions } from './sessions.ts';

/** Returns when to ask again about a session that is still fresh: after a pause, or earlier if its fresh time ends. */
const nextAsk = ({ fresh }: KnownSession, now: number): number => Math.min(now + RENEWAL_PAUSE_S, fresh);

/** Beginning of the `Cookie` line if the cookie of the session is the gateway's first cookie. */
const SESSION = `${SESSION_COOKIE}=`;

/** Returns `get` if the browser opens a page, another method if it sends a form, undefined for a script's request. */
const navigationOf = (r: NginxHTTPRequest): string | undefined => r.headersIn[TO_CHECK.navigation];

/** Whether this request is the one that asks for the renewal. Other requests continue with the old session. */
const leads = (sid: string): boolean => renewalsDict().add(composed('renew', sid), 1, RENEWAL_PAUSE_S * 1000) === true;

/** Finds callers by their sessions. Sessions are renewed during these requests. */
export class SessionCallers<P extends AcceptingPlace> {
  readonly #sessions: Sessions;
  readonly #handlers: CheckHandlers<P>;

  constructor(sessions: Sessions, handlers: CheckHandlers<P>) {
    this.#sessions = sessions;
    this.#handlers = handlers;
  }

  /** @param line the gateway's cookies in the request, which has no other credential */
  readCaller(r: NginxHTTPRequest, to: P, method: string, line: string): Answered {
    const now = Date.now() / 1000;
    const host = requestedHost(r, to);
    if (line.startsWith(SESSION)) {
      // Usually no other cookie follows the cookie of a known session.
      const rest = line.slice(SESSION.length);
      const known = this.#sessions.recall(host, rest, now);
      if (known !== undefined) return this.#decide(r, to, method, known, now);
      // Most new sessions also have no other cookie. `pairsIn` explains why the text is split.
      if (rest.split(';', 2).length === 1) return this.#open(r, to, method, host, rest, now);
    }
    const text = ownSession(line);
    if (text === undefined) return this.#handlers.absent(r, to, method, 'credential_missing');
    if (text === 'twice') return this.#twice(r, to, method);
    const known = this.#sessions.recall(host, text, now);
    if (known !== undefined) return this.#decide(r, to, method, known, now);
    return this.#open(r, to, method, host, text, now);
  }

  /** Handles two cookies, of which a script may have set one. A page is redirected to the sign-in, which leaves the
   * browser one session; otherwise each page would be refused until the other cookie expires. */
  #twice(r: NginxHTTPRequest, to: P, method: string): Answered {
    if (!this.#handlers.renews || navigationOf(r) !== 'get')
      return this.#handlers.refuse(r, to, refuse('credential_duplicate'));
    return this.#handlers.absent(r, to, method, 'credential_duplicate');
  }

  #open(r: NginxHTTPRequest, to: P, method: string, host: string, text: string, now: number): Answered {
    return this.#sessions.open(host, text, now, (opened) => this.#arrive(r, to, method, opened, now));
  }

  #arrive(r: NginxHTTPRequest, to: P, method: string, opened: Opened, now: number): Answered {
    switch (opened.kind) {
      case 'known':
        return this.#decide(r, to, method, opened.known, now);
      case 'other':
        return this.#choose(r, to, method, opened.opened, now);
      case 'closed':
        return this.#handlers.absent(r, to, method, 'credential_missing', true);
      case 'nobody':
        return this.#handlers.refuse(r, to, opened);
      case 'unavailable':
        return this.#handlers.refuse(r, to, refuse('check_unavailable'));
    }
  }

  /** Decides the request of a known session. Most requests of browsers run this function. */
  #decide(r: NginxHTTPRequest, to: P, method: string, known: KnownSession, now: number): Answered {
    if (!to.accepted.has(known.provider)) return this.#handlers.absent(r, to, method, 'credential_missing', true);
    if (now >= known.end) return this.#handlers.absent(r, to, method, 'session_expired');
    if (!this.#sessions.isStillVerified(known)) return this.#handlers.absent(r, to, method, 'session_expired', true);
    if (isForeign(r, to, to.origins)) return this.#handlers.refuse(r, to, refuse('origin_refused'), { known });
    if (now >= known.renewAt || now >= known.fresh || now < known.from) return this.#renew(r, to, method, known, now);
    return this.#handlers.withCaller(r, to, method, known, now);
  }

  /** Asks for the renewal of a session. Until the fresh time ends, one request asks and does not wait for the provider.
   * After that time, requests wait. */
  #renew(r: NginxHTTPRequest, to: P, method: string, known: KnownSession, now: number): Answered {
    if (!this.#handlers.renews) return this.#handlers.withCaller(r, to, method, known, now);
    const { next, says } = known;
    // The clock that confirmed the claims was ahead, so the fresh time is over now.
    if (now < known.from) {
      known.fresh = now;
      known.renewAt = now;
      known.from = 0;
    }
    const stale = now >= known.fresh;
    if (next !== undefined && now >= next.from && now < next.renewAt && now < next.until)
      return this.#passNext(r, to, method, next, now);
    if (now < known.renewAt) return this.#passOld(r, to, method, known, now);
    if (!stale && !leads(listedOf(says)[SID])) {
      known.renewAt = nextAsk(known, now);
      return this.#handlers.withCaller(r, to, method, known, now);
    }
    return askRenewal(this.#sessions.settings.socket, known, stale).then((renewed) => {
      if (renewed.kind === 'renewed') return this.#take(r, to, method, known, renewed.text);
      if (renewed.kind === 'ended') {
        known.ended = true;
        return this.#handlers.absent(r, to, method, 'session_expired', true);
      }
      // The session may have been revoked during the renewal.
      if (!this.#sessions.isStillVerified(known)) return this.#handlers.absent(r, to, method, 'session_expired', true);
      const later = Date.now() / 1000;
      known.renewAt = stale ? later + RENEWAL_PAUSE_S : nextAsk(known, later);
      known.unconfirmed = renewed.kind === 'stale';
      if (renewed.kind === 'going' || !stale) return this.#handlers.withCaller(r, to, method, known, later);
      return this.#passOld(r, to, method, known, later);
    });
  }

  /** Handles a session that cannot be renewed now. A page is redirected to the provider. Other requests pass until the
   * hard end, unless the provider was asked and did not return the claims. */
  #passOld(r: NginxHTTPRequest, to: P, method: string, known: KnownSession, now: number): Answered {
    if (known.unconfirmed || navigationOf(r) === 'get') {
      return this.#handlers.absent(r, to, method, 'session_expired', false, 'renew');
    }
    return this.#handlers.withCaller(r, to, method, known, now);
  }

  /** Decides the request with the newer session that replaced this one. */
  #passNext(r: NginxHTTPRequest, to: P, method: string, next: KnownSession, now: number): Answered {
    if (!to.accepted.has(next.provider) || now >= next.end || !this.#sessions.isStillVerified(next)) {
      return this.#handlers.absent(r, to, method, 'session_expired', true);
    }
    r.headersOut[FROM_CHECK.setCookie] = setCookie(SESSION_COOKIE, next.text);
    return this.#handlers.withCaller(r, to, method, next, now);
  }

  /** Replaces an older cookie by a newer one. */
  #take(r: NginxHTTPRequest, to: P, method: string, old: OpenedSession, text: string): Answered {
    const now = Date.now() / 1000;
    return this.#sessions.open(old.host, text, now, (opened) => {
      if (opened.kind === 'nobody') return this.#handlers.refuse(r, to, opened);
      if (opened.kind === 'unavailable') return this.#handlers.refuse(r, to, refuse('check_unavailable'));
      if (opened.kind !== 'known') return this.#handlers.absent(r, to, method, 'session_expired', false, 'renew');
      const { known } = opened;
      if (listedOf(known.says)[SID] !== listedOf(old.says)[SID])
        throw new Error('a renewed session was replaced by an invalid one');
      if ('ring' in old) (old as KnownSession).next = known;
      return this.#passNext(r, to, method, known, now);
    });
  }

  /** Handles a session of another policy, whose claims identify no caller here until it is renewed. */
  #choose(r: NginxHTTPRequest, to: P, method: string, opened: OpenedSession, now: number): Answered {
    if (now >= opened.end) return this.#handlers.absent(r, to, method, 'session_expired');
    if (this.#sessions.isRevoked(opened)) return this.#handlers.absent(r, to, method, 'session_expired', true);
    if (isForeign(r, to, to.origins)) return this.#handlers.refuse(r, to, refuse('origin_refused'));
    if (!this.#handlers.renews) return this.#handlers.absent(r, to, method, 'session_expired', false, 'renew');
    const { says, host, text } = opened;
    const provider = listedOf(says)[PROVIDER];
    return askRenewal(this.#sessions.settings.socket, { provider, host, text }, true).then((renewed) => {
      if (renewed.kind === 'renewed') return this.#take(r, to, method, opened, renewed.text);
      if (renewed.kind === 'ended') return this.#handlers.absent(r, to, method, 'session_expired', true);
      return this.#handlers.absent(r, to, method, 'session_expired', false, 'renew');
    });
  }
}
