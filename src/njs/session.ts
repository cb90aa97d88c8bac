import { composed } from '../composed.ts';
import { RENEWAL_PAUSE_S } from '../limits.ts';
import { MISSING, type ReasonCode, refuse } from '../reasons.ts';
import { PROVIDER, SID } from '../session/claims.ts';
import type { SigninMode } from '../session/contract.ts';
import { expireCookie, ownSession, setCookie } from '../session/cookie.ts';
import { SESSION_COOKIE } from '../session/names.ts';
import { again } from './answer.ts';
import { answer } from './decision.ts';
import { renewalsDict } from './dicts.ts';
import { hostOf, isForeign } from './foreign.ts';
import { decideNobody, type RefusedNobody } from './nobody.ts';
import { deny } from './refusal.ts';
import { askRenewal, type Renewed } from './renewal.ts';
import type { PreparedRoute } from './routes.ts';
import { withHelp } from './session-help.ts';
import { type KnownSession, listedOf, type Opened, type OpenedSession, type Sessions } from './sessions.ts';
import type { Signer } from './signer.ts';
import type { Views } from './views.ts';

/** When a session that is asked about early is asked about again: by the time that it is not fresh, it has been renewed. */
const nextAsk = ({ fresh }: KnownSession, now: number): number => Math.min(now + RENEWAL_PAUSE_S, fresh);

/** Begins the line where no other cookie of ours stands before. */
const SESSION = `${SESSION_COOKIE}=`;

type Answered = void | Promise<void>;

const missing = refuse('credential_missing', MISSING.session);

/** What of a browser the answer goes to: a page that is opened, a form that is sent; else a script's request. */
const navigationOf = (r: NginxHTTPRequest): string | undefined => r.headersIn['X-Meshgate-Navigation'];

/** Whether it is this request that has a session renewed; the others go on with what they have. */
const leads = (sid: string): boolean => renewalsDict().add(composed('renew', sid), 1, RENEWAL_PAUSE_S * 1000) === true;

/** Answers requests that come with a session, or with nothing. */
export class SessionDoor {
  readonly #sessions: Sessions;
  readonly #signer: Signer | undefined;
  readonly #views: Views | undefined;

  /** @param signer and views as of the check */
  constructor(sessions: Sessions, signer: Signer | undefined, views: Views | undefined) {
    this.#sessions = sessions;
    this.#signer = signer;
    this.#views = views;
  }

  /** @param line cookies of the gateway in the request, which has no other credential */
  ask(r: NginxHTTPRequest, to: PreparedRoute, method: string, line: string | undefined): Answered {
    if (line === undefined || !to.sessions) return this.#absent(r, to, method, 'credential_missing');
    const now = Date.now() / 1000;
    const host = hostOf(r, to);
    if (line.startsWith(SESSION)) {
      // What is known has no other cookie behind it.
      const rest = line.slice(SESSION.length);
      const known = this.#sessions.recall(host, rest, now);
      if (known !== undefined) return this.#judge(r, to, method, known, now);
      // Nor have most that are new: see ownSession for why it is split.
      if (rest.split(';').length === 1) return this.#open(r, to, method, host, rest, now);
    }
    const text = ownSession(line);
    if (text === undefined) return this.#absent(r, to, method, 'credential_missing');
    if (text === 'twice') return deny(r, to, refuse('credential_duplicate'));
    const known = this.#sessions.recall(host, text, now);
    if (known !== undefined) return this.#judge(r, to, method, known, now);
    return this.#open(r, to, method, host, text, now);
  }

  #open(r: NginxHTTPRequest, to: PreparedRoute, method: string, host: string, text: string, now: number): Answered {
    return this.#sessions.open(host, text, now, (opened) => this.#arrive(r, to, method, opened, now));
  }

  /**
   * Answers as nobody is answered.
   *
   * @param reason why nobody is there, where not everybody may pass
   * @param expire the cookie is good for nothing: a page that is opened loses it
   */
  #absent(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    reason: ReasonCode,
    expire = false,
    mode: SigninMode = 'in',
  ): Answered {
    return decideNobody(this.#signer, this.#views, r, to, method, (refused) =>
      this.#refuse(r, to, refused, reason, expire, mode),
    );
  }

  #refuse(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    refused: RefusedNobody,
    reason: ReasonCode,
    expire: boolean,
    mode: SigninMode,
  ): Answered {
    const more = { nearest: refused.nearest };
    // Where no sign-in would help, nobody is sent to one.
    if (!to.sessions || refused.reason === 'network_refused') return deny(r, to, refused, more);
    if (expire && navigationOf(r) !== undefined) r.headersOut['X-Meshgate-Set-Cookie'] = expireCookie(SESSION_COOKIE);
    const refusal = reason === 'credential_missing' && !to.bearers ? missing : { reason };
    return deny(r, to, refusal, { ...more, signin: mode });
  }

  #arrive(r: NginxHTTPRequest, to: PreparedRoute, method: string, opened: Opened, now: number): Answered {
    switch (opened.kind) {
      case 'known':
        return this.#judge(r, to, method, opened.known, now);
      case 'other':
        return this.#choose(r, to, method, opened.opened, now);
      case 'closed':
        return this.#absent(r, to, method, 'credential_missing', true);
      case 'nobody':
        return deny(r, to, opened);
      case 'unavailable':
        return deny(r, to, refuse('check_unavailable'));
    }
  }

  /** The hot path of browsers. */
  #judge(r: NginxHTTPRequest, to: PreparedRoute, method: string, known: KnownSession, now: number): Answered {
    if (!to.accepted.has(known.provider)) return this.#absent(r, to, method, 'credential_missing', true);
    if (now >= known.end) return this.#absent(r, to, method, 'session_expired');
    if (!this.#sessions.vouchFor(known)) return this.#absent(r, to, method, 'session_expired', true);
    if (isForeign(r, to, to.origins)) return deny(r, to, refuse('origin_refused'), { known });
    if (now >= known.renewAt || now >= known.fresh) return this.#renew(r, to, method, known, now);
    return this.#pass(r, to, method, known, now);
  }

  #pass(r: NginxHTTPRequest, to: PreparedRoute, method: string, known: KnownSession, now: number): Answered {
    const seen = this.#views === undefined ? known : this.#views.see(known, r.headersIn, now);
    if (again(r, to, method, seen, now, this.#signer)) return;
    return answer(this.#signer, r, to, method, seen, now, withHelp);
  }

  /** A session that is to be renewed: early by one request, which does not wait for the provider; past its time by all. */
  #renew(r: NginxHTTPRequest, to: PreparedRoute, method: string, known: KnownSession, now: number): Answered {
    const { next, provider, says, host, text } = known;
    const stale = now >= known.fresh;
    if (next !== undefined && now < next.renewAt && now < next.until) return this.#passNext(r, to, method, next, now);
    if (now < known.renewAt) return this.#passOld(r, to, method, known, now);
    if (!stale && !leads(listedOf(says)[SID])) {
      known.renewAt = nextAsk(known, now);
      return this.#pass(r, to, method, known, now);
    }
    return askRenewal(this.#sessions.settings.socket, provider, host, text, stale).then((renewed) => {
      if (renewed.kind === 'renewed') return this.#take(r, to, method, known, renewed.text);
      if (renewed.kind === 'ended') {
        known.ended = true;
        return this.#absent(r, to, method, 'session_expired', true);
      }
      // Somebody may have revoked it while it was to be renewed.
      if (!this.#sessions.vouchFor(known)) return this.#absent(r, to, method, 'session_expired', true);
      const later = Date.now() / 1000;
      known.renewAt = stale ? later + RENEWAL_PAUSE_S : nextAsk(known, later);
      known.unconfirmed = renewed.kind === 'stale';
      if (renewed.kind === 'going' || !stale) return this.#pass(r, to, method, known, later);
      return this.#passOld(r, to, method, known, later);
    });
  }

  /**
   * Nobody here can renew a session: a page goes through the provider, all else passes to the hard end, unless the
   * provider was asked for the claims and did not say them.
   */
  #passOld(r: NginxHTTPRequest, to: PreparedRoute, method: string, known: KnownSession, now: number): Answered {
    if (known.unconfirmed || navigationOf(r) === 'get') {
      return this.#absent(r, to, method, 'session_expired', false, 'renew');
    }
    return this.#pass(r, to, method, known, now);
  }

  /** Passes by the session that another was renewed to. */
  #passNext(r: NginxHTTPRequest, to: PreparedRoute, method: string, next: KnownSession, now: number): Answered {
    if (!to.accepted.has(next.provider) || now >= next.end || !this.#sessions.vouchFor(next)) {
      return this.#absent(r, to, method, 'session_expired', true);
    }
    r.headersOut['X-Meshgate-Set-Cookie'] = setCookie(SESSION_COOKIE, next.text);
    return this.#pass(r, to, method, next, now);
  }

  /** A newer cookie for an older one. */
  #take(r: NginxHTTPRequest, to: PreparedRoute, method: string, old: OpenedSession, text: string): Answered {
    const now = Date.now() / 1000;
    return this.#sessions.open(old.host, text, now, (opened) => {
      if (opened.kind !== 'known') return this.#arriveRenewed(r, to, method, opened);
      const { known } = opened;
      if (listedOf(known.says)[SID] !== listedOf(old.says)[SID])
        throw new Error('a session was renewed to another one');
      if ('ring' in old) (old as KnownSession).next = known;
      return this.#passNext(r, to, method, known, now);
    });
  }

  /** What was sealed a moment ago, and is of no use all the same. */
  #arriveRenewed(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    opened: Exclude<Opened, { kind: 'known' }>,
  ): Answered {
    if (opened.kind === 'nobody') return deny(r, to, opened);
    if (opened.kind === 'unavailable') return deny(r, to, refuse('check_unavailable'));
    return this.#absent(r, to, method, 'session_expired', false, 'renew');
  }

  /** A session of another policy: its claims were not chosen for the roles of now, so that it stands for nobody alone. */
  #choose(r: NginxHTTPRequest, to: PreparedRoute, method: string, opened: OpenedSession, now: number): Answered {
    if (now >= opened.end) return this.#absent(r, to, method, 'session_expired');
    if (this.#sessions.isRevoked(opened)) return this.#absent(r, to, method, 'session_expired', true);
    if (isForeign(r, to, to.origins)) return deny(r, to, refuse('origin_refused'));
    const { says, host, text } = opened;
    const provider = listedOf(says)[PROVIDER];
    return askRenewal(this.#sessions.settings.socket, provider, host, text, true).then((renewed: Renewed) => {
      if (renewed.kind === 'renewed') return this.#take(r, to, method, opened, renewed.text);
      if (renewed.kind === 'ended') return this.#absent(r, to, method, 'session_expired', true);
      return this.#absent(r, to, method, 'session_expired', false, 'renew');
    });
  }
}
