import type { SessionRecord } from './types.ts';

/** The record that something is revoked. */
export interface Revocation {
  /** `sid`: a session of the gateway; `psid`: a session of the provider; `sub`: a subject; `kid`: a key or a
   * certificate; `jti`: a token; `out`: sessions of one person that ended one by one. */
  readonly kind: 'sid' | 'psid' | 'sub' | 'kid' | 'jti' | 'out';
  /** The revoked value, see `ofAny` and `ofProvider`. */
  readonly value: string;
  /** What was issued or signed in before this time is revoked; seconds since the epoch. */
  readonly before: number;
  /** When the revocation may be erased: what it revokes has expired by then. */
  readonly until: number;
  /** When it was made. */
  readonly made: number;
  /** For `out`: the sessions, see `endedName`. */
  readonly ended?: readonly string[];
}

/** A lock. It is released at the latest after the time for which it was requested. */
export interface Lock {
  release(): Promise<void>;
}

/** The claim on a value that may be used once, held during the attempt to use it. */
export interface Claim {
  /** The value was used and cannot be claimed again.
   *
   * @param ttl seconds for which that is remembered
   */
  use(ttl: number): Promise<void>;
  /** The value was not used and can be claimed again. */
  release(): Promise<void>;
}

/** The store of sessions besides their cookies: shared memory of one node, or etcd for several replicas. If the store
 * does not answer, each method throws an Error with one line for the log. */
export interface SessionStore {
  /** The record of a session; `undefined` if the store does not have it. */
  get(sid: string): Promise<SessionRecord | undefined>;
  /** @param ttl seconds */
  put(record: SessionRecord, ttl: number): Promise<void>;
  delete(sid: string): Promise<void>;
  /** @param ttl milliseconds
   * @returns `undefined` if another request has the lock, or there is no room for locks
   */
  lock(sid: string, ttl: number): Promise<Lock | undefined>;
  /** Claims a value that only a success uses up, such as a state. Until then the claim uses memory for a short time.
   *
   * @param ttl seconds after which the claim expires if it was neither used nor released
   * @returns `undefined` if the value was used, or another request has the claim
   */
  claim(id: string, ttl: number): Promise<Claim | undefined>;
  /**
   * Uses something up that may be used once: a hand-over.
   *
   * @param ttl seconds for which that is remembered
   * @returns false if it was used before
   */
  once(id: string, ttl: number): Promise<boolean>;
  /** Revokes for all replicas. Each knows it within two seconds. */
  revoke(revocation: Revocation): Promise<void>;
}
