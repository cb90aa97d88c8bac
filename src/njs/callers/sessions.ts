import { ownOf } from '../../base/own.ts';
import type { Result } from '../../base/reasons.ts';
import { toPerson } from '../../caller/caller.ts';
import { encodeValue } from '../../caller/encode.ts';
import {
  callerOf,
  END_LINE,
  FRESH_LINE,
  HEAD_LINE,
  READY_LINES,
  RENEW_AT_LINE,
  ROLES,
  readyHead,
} from '../../caller/ready.ts';
import type { Caller } from '../../caller/types.ts';
import type { Table, TableSession } from '../../rules/types.ts';
import {
  AUTH_TIME,
  CLAIMS,
  claimsOf,
  END,
  FRESH,
  type Listed,
  lastLine,
  PROVIDER,
  readListed,
  SEALED,
  SELECTION,
  SINCE,
} from '../../session/cookie-claims.ts';
import { dueAt, freshFrom } from '../../session/freshness.ts';
import type { Ring } from '../../session/keys/ring.ts';
import { kidOf, openFor } from '../../session/keys/seal.ts';
import { SESSIONS_PER_CONTEXT } from '../../session/limits.ts';
import { type Revocable, revocableSession } from '../../session/revocation/revocation.ts';
import { type KeyFile, ringFile } from '../keys/key-file.ts';
import { counterName, increment } from '../shared/counts.ts';
import type { KnownCaller } from '../shared/known.ts';
import { pseudonym } from '../shared/pseudonyms.ts';
import { canLookUp, canRemember, isKeptRevoked, isRevokedNow, revokedClaims } from '../shared/revocation-reader.ts';

/** The content of a session cookie, and the cookie from which it comes. */
export interface OpenedSession {
  /** The content as text, see {@link listedOf}. */
  readonly says: string;
  readonly text: string;
  readonly host: string;
  /** The hard end, which no answer of the provider changes; seconds since the epoch. */
  readonly end: number;
}

/** The caller of a session cookie. After {@link KnownCaller.until} it must be determined again. */
export interface KnownSession extends KnownCaller, OpenedSession {
  readonly says: string;
  /** The session keys with which the cookie was opened. */
  readonly ring: Ring;
  /** From when and until when the claims count as confirmed, see {@link freshFrom}. */
  from: number;
  fresh: number;
  /** When the session must be renewed. An attempt sets a later time. */
  renewAt: number;
  ended?: boolean;
  /** Whether the provider was asked for the claims after the fresh time and did not return them. */
  unconfirmed?: boolean;
  /** The newer session that replaced this one. */
  next?: KnownSession;
}

/** The result of opening a cookie's value. */
export type Opened =
  | { readonly kind: 'known'; readonly known: KnownSession }
  /** The cookie does not identify a caller under the current policy. */
  | { readonly kind: 'other'; readonly opened: OpenedSession }
  /** The claims in the cookie give no caller. */
  | ({ readonly kind: 'nobody' } & Extract<Result<never>, { ok: false }>)
  /** The cookie belongs to another host, was changed, or was sealed with a key that was removed. */
  | { readonly kind: 'closed' }
  /** There are no keys to open the cookie, or the revocations of other replicas are not known yet. */
  | { readonly kind: 'unavailable' };

const SESSION = counterName('verified', ['session']);

const closed: Opened = { kind: 'closed' };
const unavailable: Opened = { kind: 'unavailable' };

/** Returns the content of a session cookie as a list. It throws if the text is not a session. */
export function listedOf(says: string): Listed {
  const listed = readListed(lastLine(says));
  if (listed === undefined) throw new Error('a session that was opened cannot be read');
  return listed;
}

/** Returns the key of a cookie in a Map: its last characters, which differ. The whole text is compared later. */
const tail = (text: string): string => text.slice(-32);

/** Finds callers by their session cookies. It keeps few, as opening a cookie takes no longer than a shared look-up. */
export class Sessions {
  readonly settings: TableSession;
  readonly #table: Table;
  readonly #file: KeyFile<Ring>;
  readonly #head: string;
  /** Sessions that were opened recently, and earlier ones. When the first Map is full, it replaces the second one. */
  #near = new Map<string, KnownSession>();
  #before = this.#near;

  constructor(table: Table, settings: TableSession) {
    this.settings = settings;
    this.#table = table;
    this.#file = ringFile(settings.keysFile);
    this.#head = readyHead(table, settings);
  }

  /** Finds a known session. The session may have ended. A session whose caller may have changed is not found. */
  #find(host: string, text: string, ring: Ring | undefined, now: number): KnownSession | undefined {
    const end = tail(text);
    const known = this.#near.get(end) ?? this.#before.get(end);
    if (known === undefined || known.text !== text || known.host !== host || known.ring !== ring) return undefined;
    return now < known.until || known.until === known.end ? known : undefined;
  }

  /** Returns a known session if its key is still in the ring. The session may have ended. There is no promise. */
  recall(host: string, text: string, now: number): KnownSession | undefined {
    const known = this.#find(host, text, this.#file.recall(now), now);
    if (known !== undefined) known.ready ??= new Map();
    return known;
  }

  /** Opens a cookie and returns the result of `use`. Call {@link recall} first. */
  open<T>(host: string, text: string, now: number, use: (opened: Opened) => T | Promise<T>): Promise<T> {
    // A known session skips this check, because it was opened after the revocations were read.
    if (!canLookUp()) return Promise.resolve(use(unavailable));
    const ring = this.#file.recall(now);
    if (ring === undefined || !ring.keys.has(kidOf(text) ?? '')) return this.#openAnew(host, text, now, use);
    return this.#open(ring, host, text, now, use);
  }

  #open<T>(ring: Ring, host: string, text: string, now: number, use: (opened: Opened) => T | Promise<T>): Promise<T> {
    return openFor(ring, 'session', host, text, (plain) => use(this.#read(ring, host, text, plain, now)));
  }

  /** Tries the keys that the file contains now. Another replica may already seal with a new key. */
  async #openAnew<T>(host: string, text: string, now: number, use: (opened: Opened) => T | Promise<T>): Promise<T> {
    const kid = kidOf(text) ?? '';
    let ring = await this.#file.current(now);
    if (ring !== undefined && !ring.keys.has(kid)) ring = await this.#file.again(now);
    if (ring === undefined) return use(unavailable);
    const known = this.#find(host, text, ring, now);
    if (known !== undefined) return use({ kind: 'known', known });
    return this.#open(ring, host, text, now, use);
  }

  #read(ring: Ring, host: string, text: string, plain: string | undefined, now: number): Opened {
    if (plain === undefined) return closed;
    // The last line is long, so it is read only if it is needed.
    const lines = plain.split('\n', READY_LINES);
    if (lines[HEAD_LINE] !== this.#head) return this.#make(ring, host, text, plain, now);
    const end = +(lines[END_LINE] as string);
    const fresh = +(lines[FRESH_LINE] as string);
    const renewAt = +(lines[RENEW_AT_LINE] as string);
    // If one of these values were not a number, every comparison with it would be false.
    if (lines.length !== READY_LINES || !(end > 0 && fresh > 0 && renewAt > 0)) return closed;
    const caller = callerOf(lines);
    const roles = lines[ROLES] as string;
    // A prepared subject is already encoded for a header.
    return this.#know(ring, host, text, plain, caller, caller.subject, roles, end, end, fresh, renewAt);
  }

  #know(
    ring: Ring,
    host: string,
    text: string,
    says: string,
    caller: Caller,
    user: string,
    roles: string,
    until: number,
    end: number,
    fresh: number,
    renewAt: number,
  ): Opened {
    increment(SESSION);
    const known: KnownSession = {
      caller,
      provider: caller.provider,
      until,
      key: '',
      user,
      roles,
      stamp: '',
      others: '',
      says,
      text,
      host,
      end,
      ring,
      from: freshFrom(fresh, this.settings, this.#table.clockSkew),
      fresh,
      renewAt,
    };
    const named = pseudonym(caller.provider, caller.subject);
    if (named !== undefined) (known as { pseudonym?: string }).pseudonym = named;
    if (!canRemember()) return { kind: 'known', known };
    if (this.#near.size >= SESSIONS_PER_CONTEXT) {
      this.#before = this.#near;
      this.#near = new Map();
    }
    this.#near.set(tail(text), known);
    return { kind: 'known', known };
  }

  /** Makes the caller of a session whose cookie was not prepared for the current policy. */
  #make(ring: Ring, host: string, text: string, says: string, now: number): Opened {
    const listed = readListed(lastLine(says));
    if (listed === undefined) return closed;
    const { idle, absolute } = this.settings;
    const provider = listed[PROVIDER];
    // A stricter policy applies to existing sessions too.
    const end = Math.min(listed[SEALED] + idle, listed[END], listed[SINCE] + absolute);
    if (listed[SELECTION] !== this.#table.selection || !Object.hasOwn(this.#table.providers, provider)) {
      return { kind: 'other', opened: { says, text, host, end } };
    }
    // The claims were just parsed, so no other code uses this object.
    const claims = listed[CLAIMS] as Record<string, unknown>;
    if (listed[AUTH_TIME] > 0) claims.auth_time = listed[AUTH_TIME];
    const made = toPerson({ provider, claims, expires: end, key: '' }, this.#table, now);
    if (!made.ok) return { kind: 'nobody', ...made };
    const caller = made.value;
    const until = Math.min(end, caller.until ?? end);
    const fresh = listed[FRESH];
    const renewAt = dueAt(fresh, listed[SEALED], this.settings);
    const user = encodeValue(caller.subject);
    return this.#know(ring, host, text, says, caller, user, caller.roles.join(','), until, end, fresh, renewAt);
  }

  /** Whether nothing of a session is revoked. It looks again only after something was revoked. */
  isStillVerified(known: KnownSession): boolean {
    return known.ended !== true && !isKeptRevoked(known, this.#revocable);
  }

  /** Whether a session of another policy is revoked. For a known session, {@link isStillVerified} is used. */
  isRevoked(opened: OpenedSession): boolean {
    return isRevokedNow(() => this.#revocable(opened));
  }

  readonly #revocable = ({ says, text }: OpenedSession): Revocable => {
    const session = claimsOf(listedOf(says));
    const { providers, clockSkew: skew } = this.#table;
    const provider = ownOf(providers, session.provider);
    return revocableSession(session, provider, revokedClaims(), { skew, kid: kidOf(text) });
  };
}
