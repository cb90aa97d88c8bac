import { MAX_NUMERIC_DATE, MAX_RING_KEYS } from '../limits.ts';
import type { ImportedKey } from '../token/import.ts';
import { asObject, decodeCanonical, keysIn } from '../token/json.ts';
import type { Purpose } from './names.ts';

/** One of the ring's keys: nothing is sealed with it, only with what is derived of it. */
export interface RingKey {
  readonly kid: string;
  readonly base: ImportedKey;
}

/** The session keys as one text of the file had them. */
export interface Ring {
  /** The first of the file. */
  readonly sealing: RingKey;
  /** Those that open, by `kid`: all whose `until` has not passed. */
  readonly keys: ReadonlyMap<string, RingKey>;
  /** When the next one of them expires, seconds since the epoch; absent: none does. From then on the text is read anew. */
  readonly expires?: number;
  /** Keys derived so far, which src/session/seal.ts keeps here: they go when the ring does. */
  readonly derived: Map<string, ImportedKey>;
  /** What opened last: most texts are of one key and day, and most requests of few hosts. */
  latest?: Opener;
}

/** What opens texts of one key, day, purpose and host. */
export interface Opener {
  readonly purpose: Purpose;
  readonly host: string;
  /** Such texts begin so: with the key's id and the day, each with a dot behind it. */
  readonly beginning: string;
  readonly key: ImportedKey;
  /** The additional data. */
  readonly data: Uint8Array;
}

type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];

const hkdf = { name: 'HKDF' } as unknown as ImportAlgorithm;

/** Stands in cookies, between dots. */
const kidForm = /^[A-Za-z0-9_-]{1,16}$/;

const KEY_BYTES = 32;

function keysOf(text: string): readonly unknown[] | string {
  const keys = keysIn(text);
  if (typeof keys === 'string') return keys;
  if (keys.length === 0) return 'the file has no key';
  return keys.length > MAX_RING_KEYS ? `the file has more than ${MAX_RING_KEYS} keys` : keys;
}

/** What is wrong with a key, or its bytes. */
function bytesOf(jwk: Readonly<Record<string, unknown>>): Buffer | string {
  const { kty, alg, use, kid, k } = jwk;
  if (kty !== 'oct' || alg !== 'A256GCM' || use !== 'enc') {
    return 'is not for sessions: "kty" is to be "oct", "alg" "A256GCM" and "use" "enc"';
  }
  if (typeof kid !== 'string' || !kidForm.test(kid)) {
    return 'has no "kid" of 1 to 16 letters, digits, "_" and "-"';
  }
  const bytes = typeof k === 'string' ? decodeCanonical(k) : undefined;
  if (bytes?.length !== KEY_BYTES) return 'has no "k" of 256 bits in base64url';
  return bytes.every((byte) => byte === bytes[0]) ? 'is no random key' : bytes;
}

/** What is wrong with a key's `until`, or when it expires. */
function expiryOf({ until }: Readonly<Record<string, unknown>>): number | string {
  if (until === undefined) return Number.POSITIVE_INFINITY;
  const isTime = typeof until === 'number' && until >= 0 && until <= MAX_NUMERIC_DATE;
  return isTime ? until : 'has an "until" that is no time in seconds';
}

/**
 * Reads the session keys: a JWKS (RFC 7517 section 5) of symmetric keys of 256 bits (`kty: oct`, `alg: A256GCM`,
 * `use: enc`; RFC 7518 section 6.4), each with a `kid` of its own. The first one seals; each opens until its `until`.
 *
 * @param now seconds since the epoch; keys that have expired by then are no part of the ring
 * @returns a sentence for the log where the text is of no use; it holds nothing of the text
 */
export async function readRing(text: string, now: number): Promise<Ring | string> {
  const list = keysOf(text);
  if (typeof list === 'string') return list;
  const keys = new Map<string, RingKey>();
  const kids = new Set<string>();
  let sealing: RingKey | undefined;
  let expires = Number.POSITIVE_INFINITY;
  for (const [index, element] of list.entries()) {
    const jwk = asObject(element) ?? {};
    const bytes = bytesOf(jwk);
    if (typeof bytes === 'string') return `key ${index + 1} ${bytes}`;
    const kid = jwk.kid as string;
    if (kids.has(kid)) return 'two keys have the same "kid"';
    kids.add(kid);
    const until = expiryOf(jwk);
    if (typeof until === 'string') return `key ${index + 1} ${until}`;
    if (until <= now) {
      if (index === 0) return 'the first key, which seals, has expired ("until")';
      continue;
    }
    expires = Math.min(expires, until);
    const key = { kid, base: await crypto.subtle.importKey('raw', bytes as never, hkdf, false, ['deriveBits']) };
    keys.set(kid, key);
    sealing ??= key;
  }
  const ring = { sealing: sealing as RingKey, keys, derived: new Map() };
  return Number.isFinite(expires) ? { ...ring, expires } : ring;
}
