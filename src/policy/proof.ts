import * as z from 'zod';
import { DEFAULTS, MAX_PROOF_RATE } from '../limits.ts';
import { hints } from './hints.ts';
import { rate } from './limits.ts';
import * as s from './scalars.ts';
import type { ProofPolicy } from './types.ts';
import { perSecond, seconds } from './units.ts';

/** `gateway.proof`. */
export const proof = z
  .strictObject({
    rate: rate
      .describe(`DPoP proofs that the replay store has room for, at most ${MAX_PROOF_RATE}/s.`)
      .meta({ default: `${DEFAULTS.proofRate}/s` })
      .optional(),
    age: s.duration
      .describe('How old a proof may be, from 5s to 5m.')
      .meta({ default: `${DEFAULTS.proofAge}s` })
      .optional(),
    nonce: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('Proofs need a nonce that the gateway gave.')
      .optional(),
    keys_file: s.filePath
      .describe(
        'JWKS of secret keys, "meshgate keys new --session" makes it: all replicas that have it take each other’s nonces.',
      )
      .optional(),
  })
  .register(hints, { what: 'how proofs are taken', write: `{ rate: ${DEFAULTS.proofRate}/s }` })
  .describe('DPoP proofs are taken (RFC 9449).');

export function buildProof({ rate: most, age, nonce, keys_file }: z.infer<typeof proof>): ProofPolicy {
  return {
    rate: most === undefined ? DEFAULTS.proofRate : perSecond(most),
    age: age === undefined ? DEFAULTS.proofAge : seconds(age),
    ...(nonce && { nonce }),
    ...(keys_file !== undefined && { keysFile: keys_file }),
  };
}
