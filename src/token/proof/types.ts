import type { JoseHeader } from '../format.ts';
import type { Key } from '../types.ts';

/** Algorithms that proofs may be signed with: `algs` of the challenge (RFC 9449 section 7.1). nginx's module lacks
 * Ed25519. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256'] as const;

/** The key in the header of a proof. */
export interface ProofKey {
  readonly header: JoseHeader;
  /** The key, in the list that the signature is verified with. */
  readonly keys: readonly [Key];
}

/** What a proof must say about its request. */
export interface ExpectedProof {
  /** RFC 7638 thumbprint of the key that the token is bound to. */
  readonly thumbprint: string;
  readonly method: string;
  /** Origin and raw path, without a query. */
  readonly url: string;
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Greatest age of a proof, seconds; the clock that made it may be behind by as much. */
  readonly age: number;
  /** How far in the future it may have been made, seconds. */
  readonly skew: number;
  /** Nonces that a proof may have; absent: it needs none. */
  readonly nonces?: readonly string[] | undefined;
}

/** A valid proof, if it was not used before. */
export interface Proof {
  /** Unique for the key that made it. */
  readonly jti: string;
  /** When it expires, seconds since the epoch. */
  readonly until: number;
}
