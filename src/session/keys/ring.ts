import { MAX_NUMERIC_DATE } from '../../base/limits.ts';
import { asObject, decodeCanonical, keysIn, type Members } from '../../token/json.ts';
import type { ImportedKey } from '../../token/keys/import.ts';
import { MAX_RING_KEYS } from '../limits.ts';
import type { Purpose } from '../names.ts';

/** One session key. It does not seal anything itself; the keys that seal are derived from it. */
export interface RingKey {
  readonly kid: string;
  readonly base: ImportedKey;
}

/** The session keys in one version of the file. */
export interface Ring {
  /** The first key of the file. */
  readonly sealing: RingKey;
  /** The keys that can open sealed texts, by `kid`: all keys whose `until` has not passed. */
  readonly keys: ReadonlyMap<string, RingKey>;
  /** When the next key expires, in seconds since the epoch, and the text is read again; absent: no key expires. */
  readonly expires?: number;
  /** The keys that src/session/keys/seal.ts has derived so far. They are kept as long as the ring. */
  readonly derived: Map<string, ImportedKey>;
  /** The opener of the last text. Most texts have the same key and day, and most requests are for few hosts. */
  latest?: Opener;
}

/** The key and data that open texts of one session key, day, purpose and host. */
export interface Opener {
  readonly purpose: Purpose;
  readonly host: string;
  /** Prefix of these texts: the key id and the day, each followed by a dot. */
  readonly beginning: string;
  readonly key: ImportedKey;
  readonly data: Uint8Array;
}

type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];

const hkdf = { name: 'HKDF' } as unknown as ImportAlgorithm;

/** The sentence of {@link readRing} if no key may seal. */
export const SEALING_KEY_EXPIRED = 'the first key, which seals, has expired ("until")';

/** The format of a key id. It is a part of cookies, between dots. */
const kidForm = /^[A-Za-z0-9_-]{1,16}$/;

const KEY_BYTES = 32;

/** Returns the bytes of a key, or a sentence that says what is wrong with the key. */
function bytesOf({ kty, alg, use, kid, k }: Members): Buffer | string {
  if (kty !== 'oct' || alg !== 'A256GCM' || use !== 'enc') {
    return 'is not for sessions: it must have "kty" "oct", "alg" "A256GCM" and "use" "enc"';
  }
  if (typeof kid !== 'string' || !kidForm.test(kid)) {
    return 'has no "kid" of 1 to 16 letters, digits, "_" and "-"';
  }
  const bytes = typeof k === 'string' ? decodeCanonical(k) : undefined;
  if (bytes?.length !== KEY_BYTES) return 'has no "k" of 256 bits in base64url';
  return bytes.every((byte) => byte === bytes[0]) ? 'is not a random key' : bytes;
}

/** Returns when a key expires, or a sentence that says what is wrong with its `until`. */
function expiryOf({ until }: Members): number | string {
  if (until === undefined) return Number.POSITIVE_INFINITY;
  const isTime = typeof until === 'number' && until >= 0 && until <= MAX_NUMERIC_DATE;
  return isTime ? until : 'has an "until" that is not a time in seconds';
}

/** Reads the session keys: a JWKS (RFC 7517 section 5) of symmetric 256-bit keys (RFC 7518 section 6.4), each with its
 * own `kid`. The first key seals. Each key opens texts until its `until`.
 * @param now seconds since the epoch; keys that have expired are left out
 * @returns a sentence for the log if the text is not valid; it contains nothing of the text */
export async function readRing(text: string, now: number): Promise<Ring | string> {
  const list = keysIn(text);
  if (typeof list === 'string') return list;
  if (list.length === 0) return 'the file has no key';
  if (list.length > MAX_RING_KEYS) return `the file has more than ${MAX_RING_KEYS} keys`;
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
      if (index === 0) return SEALING_KEY_EXPIRED;
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
