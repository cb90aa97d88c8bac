import type { JoseHeader } from '../format.ts';
import type { Key } from '../types.ts';

/** What proofs may be signed with: `algs` of the challenge (RFC 9449 section 7.1). nginx's module lacks Ed25519. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256'] as const;

/** What the key of a proof is, once its header was read. */
export interface ProofKey {
  readonly header: JoseHeader;
  /** One key, in the list that the signature is checked with. */
  readonly keys: readonly [Key];
}

/** What a proof has to say of its request. */
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
  /** How old a proof may be, seconds; the clock that made it may be behind by as much. */
  readonly age: number;
  /** How far in the future it may be made, seconds. */
  readonly skew: number;
  /** Nonces that a proof may have; absent: it needs none. */
  readonly nonces?: readonly string[] | undefined;
}

/** A proof that holds, if it was not used before. */
export interface Proof {
  /** Unique for the key that made it. */
  readonly jti: string;
  /** When it stops to hold, seconds since the epoch. */
  readonly until: number;
}
