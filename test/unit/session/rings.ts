import { type Ring, readRing } from '../../../src/session/keys/ring.ts';

/** A key of a ring from a number: not random, and the same each time. */
export function ringKey(kid: string, seed: number): Record<string, unknown> {
  const bytes = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => (seed * 37 + index * 11) % 256));
  return { kty: 'oct', alg: 'A256GCM', use: 'enc', kid, k: bytes.toString('base64url') };
}

/** A ring of such keys: names and their numbers, the first seals. */
export async function ringOf(...keys: readonly (readonly [kid: string, seed: number])[]): Promise<Ring> {
  const ring = await readRing(JSON.stringify({ keys: keys.map(([kid, seed]) => ringKey(kid, seed)) }), 0);
  if (typeof ring === 'string') throw new Error(ring);
  return ring;
}
