import type { JoseHeader } from '../format.ts';
import type { ProviderKey } from '../types.ts';

/** Algorithms of proofs, which `algs` of the challenge lists (RFC 9449 section 7.1). nginx's module lacks Ed25519. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256'] as const;

export interface ProofKey {
  readonly header: JoseHeader;
  /** A list of one key, because the function that verifies signatures takes a list. */
  readonly keys: readonly [ProviderKey];
}

export interface ExpectedProof {
  readonly thumbprint: string;
  readonly method: string;
  /** The origin and the raw path of the request, without a query. */
  readonly url: string;
  readonly tokenHash: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Maximum age of a proof in seconds. The clock of its sender may be behind by the same amount. */
  readonly age: number;
  /** Number of seconds by which the time of the proof may be in the future. */
  readonly skew: number;
  /** Nonces of which the proof must contain one; absent: no nonce is required. */
  readonly nonces?: readonly string[] | undefined;
}

/** A valid proof. It is not known yet whether it was used before. */
export interface DpopProof {
  /** An id that is unique for the key that made the proof. */
  readonly jti: string;
  /** When the proof expires, in seconds since the epoch. */
  readonly until: number;
}
