import { composed } from '../composed.ts';
import { MAX_DERIVED_KEYS, MAX_SEALED } from '../limits.ts';
import type { ImportedKey } from '../token/import.ts';
import { decodeCanonical } from '../token/json.ts';
import type { Purpose } from './names.ts';
import type { Opener, Ring, RingKey } from './ring.ts';

/*
 * What the gateway gives away and takes back: `KID.DAY.` and base64url of IV, ciphertext and tag. AES-256-GCM (NIST SP
 * 800-38D) under a key of one purpose and day (HKDF, RFC 5869), so that random IVs of 96 bits never come near their
 * limit. Purpose, host, key and day are bound by the additional data.
 */

const IV_BYTES = 12;
const TAG_BYTES = 16;
const DAY_S = 86400;

/** Longest text of a day: good until the year 4707. */
const MAX_DAY_LENGTH = 6;

const encoder = new TextEncoder();
const noSalt = new Uint8Array(0);

type DeriveAlgorithm = Parameters<typeof crypto.subtle.deriveBits>[0];
type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];
type CipherAlgorithm = Parameters<typeof crypto.subtle.encrypt>[0];

const gcm = { name: 'AES-GCM' } as unknown as ImportAlgorithm;

/** Parts of additional data: neither purposes nor key ids nor days have a `|` in them, so that no two read alike. */
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

/** Keeps a derived key that was of use: texts that open nothing must not push others out. */
function keep(ring: Ring, name: string, key: ImportedKey): void {
  const { derived } = ring;
  if (derived.has(name)) return;
  if (derived.size >= MAX_DERIVED_KEYS) derived.delete(derived.keys().next().value as string);
  derived.set(name, key);
}

/**
 * Seals a text with the ring's first key.
 *
 * @param purpose what the text is for; it opens for nothing else
 * @param host whose it is; it opens for no other. Empty for what belongs to no host
 * @param plain any text; what is longer than {@link MAX_SEALED} says for the purpose once it is sealed does not open
 * again: see {@link isOpenable}
 * @param now seconds since the epoch
 * @returns letters, digits, `_`, `-` and two dots
 */
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

/** Whether a sealed text is short enough to be opened again. */
export const isOpenable = (purpose: Purpose, text: string): boolean => text.length <= MAX_SEALED[purpose];

/** The id of the ring's key that a text names, or `undefined` where it names none. */
export function kidOf(text: string): string | undefined {
  const dot = text.indexOf('.');
  return dot > 0 ? text.slice(0, dot) : undefined;
}

/**
 * Opens what {@link seal} sealed: unchanged, for the same purpose and host, with any key of the ring. How long a text is
 * good for is not looked at: that stands inside.
 *
 * @returns the plain text, or `undefined` for any other text. Never rejected.
 */
export function open(ring: Ring, purpose: Purpose, host: string, text: string): Promise<string | undefined> {
  return openFor(ring, purpose, host, text, (plain) => plain);
}

/**
 * {@link open}, with what follows in the same promise: each one more would cost a request.
 *
 * @param use is given the plain text, or `undefined`; the promise is of what it returns, and rejected where it throws
 */
export function openFor<T>(
  ring: Ring,
  purpose: Purpose,
  host: string,
  text: string,
  use: (plain: string | undefined) => T | Promise<T>,
): Promise<T> {
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

/** One promise, the engine's, and what follows it. */
function decrypt<T>(
  { key, data }: Opener,
  bytes: Buffer,
  use: (plain: string | undefined) => T | Promise<T>,
): Promise<T> {
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

/** Bytes become a Buffer by their prototype: `Buffer.from` takes eight times as long in njs. */
function textOf(plain: ArrayBuffer): string {
  const bytes = new Uint8Array(plain);
  Object.setPrototypeOf(bytes, Buffer.prototype);
  return (bytes as unknown as Buffer).toString();
}

/** Opens a text of another key, day, purpose or host than the last one that opened. */
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
