import { toCaller } from '../caller/caller.ts';
import { SESSIONS_PER_CONTEXT } from '../limits.ts';
import type { Result } from '../reasons.ts';
import type { Table, TableSession } from '../rules/types.ts';
import { readClaims } from '../session/claims.ts';
import { dueAt, hardEnd } from '../session/freshness.ts';
import { isRevoked, revocableSession } from '../session/revocation.ts';
import type { Ring } from '../session/ring.ts';
import { kidOf, open } from '../session/seal.ts';
import type { SessionClaims } from '../session/types.ts';
import type { TokenProvider } from '../token/types.ts';
import { hasRevocations, lookRevoked } from './epoch.ts';
import type { KeyFile } from './key-file.ts';
import type { KeyStore } from './keys.ts';
import { type KnownCaller, knownCaller } from './known.ts';
import { ringFile } from './ring-file.ts';

/** What a session cookie says, with where it came from. */
export interface OpenedSession {
  readonly session: SessionClaims;
  /** The cookie's value. */
  readonly text: string;
  /** Whose cookie it is. */
  readonly host: string;
  /** When it ends, whatever the provider says; seconds since the epoch. */
  readonly end: number;
}

/** The caller of a session cookie, who may be another one after {@link KnownCaller.until}. */
export interface KnownSession extends KnownCaller, OpenedSession {
  readonly session: SessionClaims;
  /** The keys that it was opened with. */
  readonly ring: Ring;
  /** When it is to be renewed; put off where that was tried. */
  renewAt: number;
  /** It was called back, as of the epoch; or the provider ended it. */
  revoked?: boolean;
  ended?: boolean;
  /** The newer one that it was renewed to. */
  next?: KnownSession;
}

/** What comes of a cookie's value. */
export type Opened =
  | { readonly kind: 'known'; readonly known: KnownSession }
  /** It says nothing of who the caller is by the policy of now. */
  | { readonly kind: 'other'; readonly opened: OpenedSession }
  /** There is no caller in it. */
  | ({ readonly kind: 'nobody' } & Extract<Result<never>, { ok: false }>)
  /** It is none of this host, was tampered with, or is sealed by a key that is gone. */
  | { readonly kind: 'closed' }
  /** There are no keys to open it with. */
  | { readonly kind: 'unavailable' };

const closed: Opened = { kind: 'closed' };
const unavailable: Opened = { kind: 'unavailable' };

/** A cookie's last characters, which differ; the whole is compared after. */
const tail = (text: string): string => text.slice(-32);

/**
 * Callers by their session cookies. Known ones lie in a small Map of this context and nowhere else: to open a cookie
 * costs no more than to find it in shared memory.
 */
export class Sessions {
  readonly settings: TableSession;
  readonly #table: Table;
  readonly #keys: KeyStore;
  readonly #file: KeyFile<Ring>;
  readonly #near = new Map<string, KnownSession>();

  constructor(table: Table, settings: TableSession, keys: KeyStore) {
    this.settings = settings;
    this.#table = table;
    this.#keys = keys;
    this.#file = ringFile(settings.keysFile);
  }

  /** It may have ended; a caller who is another one by now is not found. */
  #find(host: string, text: string, ring: Ring | undefined, now: number): KnownSession | undefined {
    const known = this.#near.get(tail(text));
    if (known === undefined || known.text !== text || known.host !== host || known.ring !== ring) return undefined;
    return now < known.until || known.until === known.end ? known : undefined;
  }

  /** A session that was opened before, with a key that is in the ring still. It may have ended. No promise. */
  recall(host: string, text: string, now: number): KnownSession | undefined {
    const known = this.#find(host, text, this.#file.recall(now), now);
    if (known !== undefined) known.ready ??= new Map();
    return known;
  }

  /** Opens a cookie; {@link recall} is asked before. What `use` returns is returned. */
  open<T>(host: string, text: string, now: number, use: (opened: Opened) => T | Promise<T>): Promise<T> {
    const ring = this.#file.recall(now);
    if (ring === undefined || !ring.keys.has(kidOf(text) ?? '')) return this.#openAnew(host, text, now, use);
    return this.#open(ring, host, text, now, use);
  }

  #open<T>(ring: Ring, host: string, text: string, now: number, use: (opened: Opened) => T | Promise<T>): Promise<T> {
    return open(ring, 'session', host, text).then((plain) => use(this.#read(ring, host, text, plain, now)));
  }

  /** With the keys as the file has them now: another replica may seal with a key that was not here a moment ago. */
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
    const session = plain === undefined ? undefined : readClaims(plain);
    if (session === undefined) return closed;
    const { provider, claims } = session;
    // A policy that was made stricter holds for who is in already.
    const end = Math.min(hardEnd(session, this.settings), session.since + this.settings.absolute);
    if (session.selection !== this.#table.selection || !Object.hasOwn(this.#table.providers, provider)) {
      return { kind: 'other', opened: { session, text, host, end } };
    }
    // Read from a text a moment ago, the claims are nobody else's.
    if (session.authTime > 0) (claims as Record<string, unknown>).auth_time = session.authTime;
    const caller = toCaller({ provider, claims, expires: end, key: '' }, this.#table, now);
    if (!caller.ok) return { kind: 'nobody', ...caller };
    const renewAt = dueAt(session, this.settings);
    const roles = caller.value.roles.join(',');
    const until = Math.min(end, caller.value.until ?? end);
    const known = { ...knownCaller(caller.value, roles, until, ''), session, text, host, end, ring, renewAt };
    if (this.#near.size >= SESSIONS_PER_CONTEXT) this.#near.delete(this.#near.keys().next().value as string);
    this.#near.set(tail(text), known);
    return { kind: 'known', known };
  }

  /** Whether nothing of a session was called back. Looked up again where something was, and not else. */
  vouchFor(known: KnownSession): boolean {
    const epoch = this.#keys.epoch();
    if (known.epoch !== epoch) {
      known.epoch = epoch;
      known.revoked = hasRevocations(epoch) && this.#isRevoked(known);
    }
    return known.revoked !== true && known.ended !== true;
  }

  #isRevoked({ session, text }: OpenedSession): boolean {
    const provider = this.#table.providers[session.provider] as TokenProvider;
    return isRevoked(lookRevoked, revocableSession(session, provider, kidOf(text)));
  }
}
