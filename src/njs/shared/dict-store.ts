import { composed } from '../../base/composed-key.ts';
import { MAX_DICT_TTL_MS } from '../../base/limits.ts';
import { RECORDS_PER_PERSON } from '../../session/limits.ts';
import { readRecord, recordText } from '../../session/record.ts';
import {
  type Lock,
  type Revocation,
  type SessionStore,
  type SingleUseClaim,
  spoiltPlace,
} from '../../session/revocation/store.ts';
import type { SessionRecord } from '../../session/types.ts';
import { onceDict, renewalsDict, sessionsDict } from './dicts.ts';
import { sayOnce } from './say-once.ts';

/** Seals records with the session keys, for the purpose `record`. */
export interface RecordSeal {
  /** @throws Error with one line for the log if there is no key for sealing */
  seal(text: string): Promise<string>;
  /** @returns `undefined` if the text is not a sealed text, or the key that sealed it was removed */
  open(text: string): Promise<string | undefined>;
}

/** Returns a lifetime in milliseconds, limited to the maximum of a dict. A longer time would overflow. */
export const dictTtl = (seconds: number): number => Math.min(MAX_DICT_TTL_MS, Math.max(1, Math.ceil(seconds * 1000)));

/** @throws Error with one line for the log if the zone is full, because nothing is evicted there */
function remembered<T>(write: () => T): T {
  try {
    return write();
  } catch {
    throw new Error('the zone meshgate_once is full: enlarge gateway.session.people');
  }
}

/** Marks a value as spoilt, in this nginx. */
export function spoilHere(id: string, ttl: number): void {
  remembered(() => onceDict().set(spoiltPlace(id), id, dictTtl(ttl)));
}

export const isSpoiltHere = (id: string): boolean => onceDict().get(spoiltPlace(id)) === id;

const noLocks =
  'meshgate: the zone meshgate_renewals is full, so some sessions are not renewed just now: enlarge gateway.session.people';

/** Attempts to write. nginx evicts entries to make room, but they can be smaller than the new entry. */
const PUT_ATTEMPTS = 4;

/** Stores sessions in the shared memory of one nginx, for all its workers and over a reload. After a restart the memory
 * is empty, and sessions are renewed through the provider. */
export class DictStore implements SessionStore {
  readonly #seal: RecordSeal;
  readonly #revoke: (revocations: readonly Revocation[]) => void;

  /** @param revoke a function that stores revocations for the check */
  constructor(seal: RecordSeal, revoke: (revocations: readonly Revocation[]) => void) {
    this.#seal = seal;
    this.#revoke = revoke;
  }

  async get(sid: string): Promise<SessionRecord | undefined> {
    const sealed = sessionsDict().get(sid);
    const text = sealed === undefined ? undefined : await this.#seal.open(sealed);
    return text === undefined ? undefined : readRecord(text, sid);
  }

  /** Limits the records of each person, so that a person who signs in often displaces only their own records. */
  #count({ session, claims }: SessionRecord, ttl: number): void {
    const dict = sessionsDict();
    const person = composed('person', session.issuer, String(claims.sub ?? session.sid));
    const before = dict.get(person)?.split(' ') ?? [];
    if (before.includes(session.sid)) return;
    const all = [...before.filter((sid) => dict.has(sid)), session.sid];
    for (const sid of all.splice(0, Math.max(0, all.length - RECORDS_PER_PERSON))) dict.delete(sid);
    dict.set(person, all.join(' '), dictTtl(ttl));
  }

  async put(record: SessionRecord, ttl: number): Promise<void> {
    const sealed = await this.#seal.seal(recordText(record));
    for (let attempt = 1; ; attempt++) {
      try {
        sessionsDict().set(record.session.sid, sealed, dictTtl(ttl));
        this.#count(record, ttl);
        return;
      } catch {
        if (attempt === PUT_ATTEMPTS)
          throw new Error('the zone meshgate_sessions has no room for a record: enlarge it');
      }
    }
  }

  async delete(sid: string): Promise<void> {
    sessionsDict().delete(sid);
  }

  async lock(sid: string, ttl: number): Promise<Lock | undefined> {
    const name = composed('session', sid);
    const mine = 1 + Math.random();
    const isOurs = renewalsDict().add(name, mine, ttl);
    if (isOurs === undefined) sayOnce('renewals full', ngx.ERR, noLocks);
    if (!isOurs) return undefined;
    return {
      // The lock may have expired, and another request may have it now.
      release: async () => {
        if (renewalsDict().get(name) === mine) renewalsDict().delete(name);
      },
    };
  }

  async claim(id: string, ttl: number): Promise<SingleUseClaim | undefined> {
    const mine = String(Math.random());
    if (isSpoiltHere(id)) return undefined;
    if (!remembered(() => onceDict().add(id, mine, dictTtl(ttl)))) return undefined;
    return {
      use: async (longer) => {
        remembered(() => onceDict().set(id, '', dictTtl(longer)));
      },
      // The claim may have expired, and another request may have it now.
      release: async () => {
        if (onceDict().get(id) === mine) onceDict().delete(id);
      },
    };
  }

  async spoil(id: string, ttl: number): Promise<void> {
    spoilHere(id, ttl);
  }

  spoilHere(id: string, ttl: number): void {
    spoilHere(id, ttl);
  }

  async once(id: string, ttl: number): Promise<boolean> {
    return !isSpoiltHere(id) && remembered(() => onceDict().add(id, '', dictTtl(ttl)));
  }

  async revoke(revocation: Revocation): Promise<void> {
    this.#revoke([revocation]);
  }
}
