import type { SessionRecord } from '../types.ts';

export interface Revocation {
  /** `sid`: a session of the gateway; `psid`: a session of the provider; `sub`: a subject; `kid`: a key or a
   * certificate; `jti`: a token; `out`: a list of ended sessions of one person. */
  readonly kind: 'sid' | 'psid' | 'sub' | 'kid' | 'jti' | 'out';
  /** The revoked value, see `ofAny`, `ofIssuer` and `ofPerson`. */
  readonly value: string;
  /** For `sub`: the claim in the value, so that the check compares it. An earlier build wrote none. */
  readonly claim?: string;
  /** Everything that was issued, or began, before this time is revoked; seconds since the epoch. */
  readonly before: number;
  /** When the revocation may be erased, because everything that it revokes has expired by then. */
  readonly until: number;
  readonly made: number;
  /** For `out`: the names of the ended sessions, see `endedName`. */
  readonly ended?: readonly string[];
}

/** A lock. It ends after the requested time, or earlier if it is released. */
export interface Lock {
  release(): Promise<void>;
}

/** The claim on a single-use value, held during the attempt to use the value. */
export interface SingleUseClaim {
  /** The value was used and cannot be claimed again.
   * @param ttl number of seconds for which the use is remembered */
  use(ttl: number): Promise<void>;
  /** The value was not used and can be claimed again. */
  release(): Promise<void>;
}

/** Returns where a spoilt value is kept. Its first two characters, which are random, choose one of 4096 places. */
export const spoiltPlace = (id: string): string => `spoilt/${id.slice(0, 2)}`;

/** The store of everything about sessions except their cookies: the shared memory of one nginx, or etcd for several
 * replicas. If it does not answer, each method throws an Error with one line for the log. */
export interface SessionStore {
  /** Returns the record of a session; `undefined` if the store does not have it. */
  get(sid: string): Promise<SessionRecord | undefined>;
  /** @param ttl seconds */
  put(record: SessionRecord, ttl: number): Promise<void>;
  delete(sid: string): Promise<void>;
  /** @param ttl milliseconds
   * @returns `undefined` if another request has the lock, or there is no room for locks */
  lock(sid: string, ttl: number): Promise<Lock | undefined>;
  /** Claims a single-use value, such as a state. It is used up only if an attempt succeeds, and until then it takes
   * room only for a short time.
   * @param ttl seconds after which the claim expires if it was neither used nor released
   * @returns `undefined` if the value was used or spoilt, or another request has the claim */
  claim(id: string, ttl: number): Promise<SingleUseClaim | undefined>;
  /** Makes {@link claim} refuse a value, which another browser has shown. All these values together take a fixed room,
   * because strangers can cause them: a new one can displace an old one.
   * @param ttl seconds */
  spoil(id: string, ttl: number): Promise<void>;
  /** Makes {@link claim} and {@link once} of this nginx refuse a value, without a call.
   * @param ttl seconds */
  spoilHere(id: string, ttl: number): void;
  /** Uses up a single-use value: a ticket.
   * @param ttl number of seconds for which the use is remembered
   * @returns false if the value was used before */
  once(id: string, ttl: number): Promise<boolean>;
  /** Revokes something for all replicas. Each replica knows the revocation within two seconds. */
  revoke(revocation: Revocation): Promise<void>;
}
