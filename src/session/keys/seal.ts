import { composed } from '../../base/composed-key.ts';
import { decodeCanonical } from '../../token/json.ts';
import type { ImportedKey } from '../../token/keys/import.ts';
import { MAX_DERIVED_KEYS, MAX_SEALED } from '../limits.ts';
import type { Purpose } from '../names.ts';
import type { Opener, Ring, RingKey } from './ring.ts';

/* The format of sealed texts: `KID.DAY.`, then base64url of IV, ciphertext and tag. The cipher is AES-256-GCM (NIST SP
 * 800-38D). Its key is derived for one purpose and one day (HKDF, RFC 5869), so that the number of random 96-bit IVs
 * stays far below its limit. The additional data binds purpose, host, key and day. */

const IV_BYTES = 12;
const TAG_BYTES = 16;
const DAY_S = 86400;

/** Maximum length of a day number. It suffices until the year 4707. */
const MAX_DAY_LENGTH = 6;

const encoder = new TextEncoder();
const noSalt = new Uint8Array(0);

type DeriveAlgorithm = Parameters<typeof crypto.subtle.deriveBits>[0];
type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];
type CipherAlgorithm = Parameters<typeof crypto.subtle.encrypt>[0];

const gcm = { name: 'AES-GCM' } as unknown as ImportAlgorithm;

/** Returns the additional data. It is unambiguous, because purposes, key ids and days contain no `|`. */
const bound = (purpose: Purpose, host: string, kid: string, day: string): Uint8Array =>
  encoder.encode(`meshgate|${purpose}|${host}|${kid}|${day}`);

const cipher = (iv: Uint8Array, additionalData: Uint8Array): CipherAlgorithm =>
  ({ name: 'AES-GCM', iv, additionalData }) as unknown as CipherAlgorithm;

const derivedName = (purpose: Purpose, kid: string, day: string): string => composed(purpose, kid, day);

async function derive({ base }: RingKey, purpose: Purpose, day: string): Promise<ImportedKey> {
  const info = encoder.encode(`meshgate ${purpose} ${day}`);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: noSalt, info } as unknown as DeriveAlgorithm;
  const bits = await crypto.subtle.deriveBits(algorithm, base as never, 256);
  return crypto.subtle.importKey('raw', bits as never, gcm, false, ['encrypt', 'decrypt']);
}

/** Keeps a derived key only after it has opened a text, so that forged texts cannot displace useful keys. */
function keep(ring: Ring, name: string, key: ImportedKey): void {
  const { derived } = ring;
  if (derived.has(name)) return;
  if (derived.size >= MAX_DERIVED_KEYS) derived.delete(derived.keys().next().value as string);
  derived.set(name, key);
}

/** Seals a text with the first key of the ring.
 * @param purpose the only purpose for which the text can be opened
 * @param host the only host for which the text can be opened; empty if it belongs to no host
 * @param plain any text; if the result is not {@link isOpenable}, it is too long
 * @returns a text of letters, digits, `_`, `-` and two dots */
export async function seal(ring: Ring, purpose: Purpose, host: string, plain: string, now: number): Promise<string> {
  const { kid } = ring.sealing;
  const day = String(Math.floor(now / DAY_S));
  const name = derivedName(purpose, kid, day);
  const key = ring.derived.get(name) ?? (await derive(ring.sealing, purpose, day));
  keep(ring, name, key);
  const iv = new Uint8Array(IV_BYTES);
  crypto.getRandomValues(iv as never);
  const algorithm = cipher(iv, bound(purpose, host, kid, day));
  const sealed = await crypto.subtle.encrypt(algorithm, key as never, encoder.encode(plain) as never);
  return `${kid}.${day}.${Buffer.concat([iv, new Uint8Array(sealed)]).toString('base64url')}`;
}

const NAME_BITS = 192;

/** Returns a name for a text: the same at all replicas, and only they can compute it (HKDF, RFC 5869). */
export async function keyedName({ sealing }: Ring, text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(text) as never);
  const info = Buffer.concat([encoder.encode('meshgate name '), new Uint8Array(digest)]);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: noSalt, info } as unknown as DeriveAlgorithm;
  const bits = await crypto.subtle.deriveBits(algorithm, sealing.base as never, NAME_BITS);
  return Buffer.from(bits).toString('base64url');
}

/** Whether a sealed text is short enough to be opened again. */
export const isOpenable = (purpose: Purpose, text: string): boolean => text.length <= MAX_SEALED[purpose];

/** Returns the key id in a sealed text; `undefined` if there is none. */
export function kidOf(text: string): string | undefined {
  const dot = text.indexOf('.');
  return dot > 0 ? text.slice(0, dot) : undefined;
}

/** Opens a text that {@link seal} sealed, if it is unchanged, purpose and host are the same, and the ring has the key.
 * The content itself says how long the text is valid.
 * @returns the plain text, or `undefined` for any other text; the promise never rejects */
export function open(ring: Ring, purpose: Purpose, host: string, text: string): Promise<string | undefined> {
  return openFor(ring, purpose, host, text, (plain) => plain);
}

type Use<T> = (plain: string | undefined) => T | Promise<T>;

/** Opens a text like {@link open}, and calls a function in the same promise, because each further promise costs time in
 * every request. The promise rejects if the function throws. */
export function openFor<T>(ring: Ring, purpose: Purpose, host: string, text: string, use: Use<T>): Promise<T> {
  if (text.length > MAX_SEALED[purpose]) return Promise.resolve(use(undefined));
  const opener = ring.latest;
  if (opener !== undefined && opener.purpose === purpose && opener.host === host && text.startsWith(opener.beginning)) {
    const bytes = bytesOf(text, opener.beginning.length);
    return bytes === undefined ? Promise.resolve(use(undefined)) : decrypt(opener, bytes, use);
  }
  return openAnew(ring, purpose, host, text).then(use);
}

function bytesOf(text: string, from: number): Buffer | undefined {
  const bytes = decodeCanonical(text.slice(from));
  return bytes === undefined || bytes.length < IV_BYTES + TAG_BYTES ? undefined : bytes;
}

/** Decrypts with only one promise, which the engine makes. */
function decrypt<T>({ key, data }: Opener, bytes: Buffer, use: Use<T>): Promise<T> {
  let opened: Promise<ArrayBuffer>;
  try {
    const algorithm = cipher(bytes.subarray(0, IV_BYTES), data);
    opened = crypto.subtle.decrypt(algorithm, key as never, bytes.subarray(IV_BYTES) as never);
  } catch {
    return Promise.resolve(use(undefined));
  }
  return opened.then(
    (plain) => use(textOf(plain)),
    () => use(undefined),
  );
}

/** Changes the prototype of bytes to Buffer, and returns the text. In njs, `Buffer.from` takes eight times as long. */
function textOf(plain: ArrayBuffer): string {
  const bytes = new Uint8Array(plain);
  Object.setPrototypeOf(bytes, Buffer.prototype);
  return (bytes as unknown as Buffer).toString();
}

/** Opens a text whose key, day, purpose or host differs from those of the last text that was opened. */
async function openAnew(ring: Ring, purpose: Purpose, host: string, text: string): Promise<string | undefined> {
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 1 || second - first < 2 || second - first - 1 > MAX_DAY_LENGTH) return undefined;
  const from = ring.keys.get(text.slice(0, first));
  const bytes = from && bytesOf(text, second + 1);
  if (from === undefined || bytes === undefined) return undefined;
  const day = text.slice(first + 1, second);
  const name = derivedName(purpose, from.kid, day);
  try {
    const key = ring.derived.get(name) ?? (await derive(from, purpose, day));
    const data = bound(purpose, host, from.kid, day);
    const opener: Opener = { purpose, host, beginning: text.slice(0, second + 1), key, data };
    const plain = await decrypt(opener, bytes, (opened) => opened);
    if (plain === undefined) return undefined;
    keep(ring, name, key);
    ring.latest = opener;
    return plain;
  } catch {
    return undefined;
  }
}
