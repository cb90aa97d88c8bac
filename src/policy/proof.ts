import type * as z from 'zod';
import { DEFAULTS, MAX_PROOF_RATE } from './bounds.ts';
import { hints } from './hints.ts';
import { mapping, onlyTrue, optional, usually } from './mapping.ts';
import * as s from './scalars.ts';

/** The key `gateway.proof`. */
export const proof = mapping({
  rate: usually(
    s.perSecondWithin({ most: `${MAX_PROOF_RATE}/s` }),
    `${DEFAULTS.proofRate}/s`,
    `DPoP proofs per second for which the replay store has room, at most ${MAX_PROOF_RATE}/s.`,
  ),
  age: usually(s.secondsWithin({ least: '5s', most: '300s' }), '60s', 'Greatest age of a proof, from 5s to 5m.'),
  nonce: onlyTrue('Proofs need a nonce of the gateway.'),
  keys_file: optional(
    s.filePath,
    'JWKS of secret keys, "meshgate keys new --session" makes it: replicas that share it accept each other’s nonces.',
  ),
})
  .register(hints, { what: 'the settings of DPoP proofs', write: `{ rate: ${DEFAULTS.proofRate}/s }` })
  .describe('The gateway accepts DPoP proofs (RFC 9449).');

/** The settings of DPoP proofs: how many proofs all workers accept together per second, and for how many seconds a
 * proof is valid. */
export type ProofPolicy = z.output<typeof proof>;
