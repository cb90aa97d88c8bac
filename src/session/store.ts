import type { SessionRecord } from './types.ts';

/** What a revocation calls back. */
export interface Revocation {
  /**
   * A session of ours or the provider's own; a subject; a key, or a certificate; a token; sessions of one person that
   * ended one by one.
   */
  readonly kind: 'sid' | 'psid' | 'sub' | 'kid' | 'jti' | 'out';
  /** Which one, see `ofAny` and `ofProvider`. */
  readonly value: string;
  /** What was issued, or signed in, before this is called back; seconds since the epoch. */
  readonly before: number;
  /** When the revocation may be forgotten: nothing that it calls back lives longer. */
  readonly until: number;
  /** When it was made. */
  readonly made: number;
  /** Of kind `out`: the sessions, see `endedName`. */
  readonly ended?: readonly string[];
}

/** A lock that nobody keeps for longer than it was asked for. */
export interface Lock {
  release(): Promise<void>;
}

/** Something that may be used once, while somebody tries to. */
export interface Claim {
  /**
   * It was used: it is no more to be had.
   *
   * @param ttl seconds for which that is remembered
   */
  use(ttl: number): Promise<void>;
  /** It was not used: nothing is remembered. */
  release(): Promise<void>;
}

/**
 * Where sessions are kept beside their cookies: in shared memory of one node, or in etcd for several replicas. Each
 * method throws with one line for the log where the store does not answer.
 */
export interface SessionStore {
  /** The record of a session, or `undefined`: unknown here. */
  get(sid: string): Promise<SessionRecord | undefined>;
  /** @param ttl seconds */
  put(record: SessionRecord, ttl: number): Promise<void>;
  delete(sid: string): Promise<void>;
  /**
   * @param ttl milliseconds
   * @returns `undefined` where somebody else has it, or there is no room for locks
   */
  lock(sid: string, ttl: number): Promise<Lock | undefined>;
  /**
   * Claims what may be used once, and is used up only by a success: a state. Until then it takes room for a short time.
   *
   * @param ttl seconds after which a claim runs out that was neither used nor released
   * @returns `undefined` where it was used, or somebody else has it
   */
  claim(id: string, ttl: number): Promise<Claim | undefined>;
  /**
   * Uses something up that may be used once: a hand-over.
   *
   * @param ttl seconds for which it is remembered
   * @returns false where it was used before
   */
  once(id: string, ttl: number): Promise<boolean>;
  /** Calls back for all replicas; each knows it within two seconds. */
  revoke(revocation: Revocation): Promise<void>;
}
