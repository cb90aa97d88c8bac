import { randomText } from '../flow/random.ts';
import { MAX_RING_KEYS, PUBLISHED_BEFORE_SEALING_S } from '../limits.ts';
import { readRing } from './ring.ts';

/** A key in the file. `iat`: when it was made. `until`: set if it no longer seals; it opens texts until this time. */
interface Jwk {
  readonly kid: string;
  readonly iat?: unknown;
  readonly until?: unknown;
}

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Returns a new key id, which differs from those that are taken. It is short because it is part of every cookie. */
function newKid(taken: readonly string[]): string {
  const kid = [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => LETTERS[byte % LETTERS.length]).join('');
  return taken.includes(kid) ? newKid(taken) : kid;
}

function makeKey(now: number, taken: readonly string[] = []): Jwk {
  const made = { kty: 'oct', kid: newKid(taken), alg: 'A256GCM', use: 'enc', iat: Math.floor(now), k: randomText(32) };
  return made;
}

const textOf = (keys: readonly Jwk[]): string => `${JSON.stringify({ keys }, null, 2)}\n`;

/** Returns a ring of two keys. The first key seals; the second will seal after the next rotation.
 * @param taken key ids that a new key must not have */
export function newRing(now: number, taken: readonly string[] = []): string {
  const first = makeKey(now, taken);
  return textOf([first, makeKey(now, [...taken, first.kid])]);
}

/** Whether a text contains session keys and no signing keys, even if it has other mistakes. */
export function isRing(text: string): boolean {
  try {
    const { keys } = JSON.parse(text) as { keys?: readonly { readonly kty?: unknown }[] };
    return Array.isArray(keys) && keys.some((key) => key?.kty === 'oct');
  } catch {
    return false;
  }
}

export type RotatedRing =
  /** `seals`: whether another key seals now. `gone`: number of removed keys, which no valid text needs. */
  | { readonly ok: true; readonly text: string; readonly seals: boolean; readonly gone: number }
  | { readonly ok: false; readonly error: string };

/** Returns a ring that replaces a leaked one. It has no old key, so it opens no text that an old key sealed. It also
 * has no old key id, because that may be revoked.
 * @returns what is wrong with the text */
export async function replaceRing(text: string, now: number): Promise<RotatedRing> {
  const ring = await readRing(text, 0);
  if (typeof ring === 'string') return { ok: false, error: ring };
  return { ok: true, text: newRing(now, [...ring.keys.keys()]), seals: true, gone: ring.keys.size };
}

/** Rotates the ring by one key. The second key, which every gateway has read by now, begins to seal, and a new key is
 * added. The old key opens texts until all cookies that it sealed have reached their absolute end.
 * @param absolute maximum lifetime of a session in seconds
 * @param early whether a key may seal even if some gateways may not have read it yet
 * @returns what is wrong with the text, or why it is too early */
export async function rotateRing(text: string, now: number, absolute: number, early: boolean): Promise<RotatedRing> {
  const ring = await readRing(text, 0);
  if (typeof ring === 'string') return { ok: false, error: ring };
  const { keys } = JSON.parse(text) as { keys: readonly [Jwk, ...Jwk[]] };
  const taken = keys.map(({ kid }) => kid);
  const [sealing, next, ...others] = keys;
  if (next === undefined || typeof next.until === 'number') {
    const added = [sealing, makeKey(now, taken), ...keys.slice(1)];
    return { ok: true, text: textOf(added), seals: false, gone: 0 };
  }
  const age = typeof next.iat === 'number' ? now - next.iat : PUBLISHED_BEFORE_SEALING_S;
  if (age < PUBLISHED_BEFORE_SEALING_S && !early) {
    const minutes = Math.ceil((PUBLISHED_BEFORE_SEALING_S - age) / 60);
    const error = `the next key has existed for less than ${PUBLISHED_BEFORE_SEALING_S / 60} minutes, and a gateway that has not read it yet would sign people out; wait ${minutes} more, or use --early`;
    return { ok: false, error };
  }
  // Another gateway may seal with the old key until it has read the new file.
  const until = Math.ceil(now + absolute + PUBLISHED_BEFORE_SEALING_S);
  const kept = others.filter((key) => typeof key.until !== 'number' || key.until > now);
  const rotated = [next, makeKey(now, taken), { ...sealing, until }, ...kept];
  if (rotated.length > MAX_RING_KEYS) {
    const ends = kept.map((key) => (typeof key.until === 'number' ? key.until : until));
    const hours = Math.ceil((Math.min(...ends) - now) / 3600);
    return { ok: false, error: `all ${MAX_RING_KEYS} keys are still needed; the oldest can be removed in ${hours} h` };
  }
  return { ok: true, text: textOf(rotated), seals: true, gone: others.length - kept.length };
}
