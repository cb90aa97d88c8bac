import { ok, type Result, refuse } from '../reasons.ts';
import type { KnownCaller } from './known.ts';

/** A request that came with a token, and how. */
export interface Sent {
  readonly r: NginxHTTPRequest;
  /** Host of the route. */
  readonly realm: string;
  readonly method: string;
  readonly token: string;
  /** By `Authorization: DPoP`, or as a bearer token. */
  readonly scheme: 'Bearer' | 'DPoP';
  readonly now: number;
}

const notBound = refuse('proof_invalid', 'the token is bound to no key: send it as "Authorization: Bearer TOKEN"');

/**
 * Whether the sender of a request has the key that its token is bound to. To be asked for each request with a bound
 * token, and with any that came by the scheme DPoP.
 *
 * @returns reasons `proof_missing`, `proof_invalid`, `proof_replayed`
 */
export function prove(_sent: Sent, { binding }: KnownCaller): Result<undefined> {
  if (binding === undefined) return notBound;
  return binding.kind === 'dpop' || binding.kind === 'certificate' ? refuse('proof_missing') : ok(undefined);
}
