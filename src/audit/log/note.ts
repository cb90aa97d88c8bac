import hash from 'crypto';
import { timeProblem } from './clocks.ts';
import { base64, base64Bytes, Malformed, sameBytes, utf8 } from './malformed.ts';

/* Signed notes of C2SP signed-note, and the cosignatures of C2SP tlog-cosignature. Of the types of signatures, this code
 * knows the two that are Ed25519. nginx's module has no Ed25519; the command njs and Node have it. */

/** The types of keys: a signature of the note, and a cosignature of a checkpoint (`cosignature/v1`). */
export const SIGNATURE = 0x01;
export const COSIGNATURE = 0x04;
export type KeyType = typeof SIGNATURE | typeof COSIGNATURE;

/** Maximum number of signatures that a note may have. The specification demands at least 16. */
const MAX_SIGNATURES = 100;

const ID_BYTES = 4;
const KEY_BYTES = 32;
const ED25519_BYTES = 64;
const TIME_BYTES = 8;

/** A public key with its name. */
export interface VerifierKey {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  readonly id: string;
  /** The bytes after the id of the key. */
  readonly bytes: Uint8Array;
}

export interface Note {
  /** The text with its last line break, but without the empty line after it. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Whether a text can be the name of a key: it is not empty, and has no space, plus or control character. */
export const isKeyName = (name: string): boolean => /^[^\s+\u0000-\u001f\u007f\u0085]+$/.test(name);

/** Returns a public key with its id: the beginning of SHA-256(name ‖ LF ‖ type ‖ key). */
export function verifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new Malformed('the name of a key is empty, or has a space or a plus');
  if (publicKey.length !== KEY_BYTES) throw new Malformed(`an Ed25519 key has ${KEY_BYTES} bytes`);
  const digest = hash
    .createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(publicKey as Buffer);
  return { name, type, publicKey, id: digest.digest('hex').slice(0, 2 * ID_BYTES) };
}

/** Returns the text of a verifier key (vkey): `NAME+ID+BASE64`. */
export const formatVkey = ({ name, id, type, publicKey }: VerifierKey): string =>
  `${name}+${id}+${base64(Buffer.concat([Buffer.from([type]), publicKey]))}`;

/** Parses the text of a verifier key.
 * @throws Malformed */
export function parseVkey(text: string): VerifierKey {
  const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? [];
  if (name === undefined || id === undefined || encoded === undefined)
    throw new Malformed('a verifier key consists of name, id and key, with a plus between them');
  if (!/^[0-9a-f]{8}$/.test(id)) throw new Malformed('the id of a verifier key is not eight hexadecimal digits');
  const bytes = base64Bytes(encoded, 'the last part of the verifier key');
  const type = bytes[0];
  if (type !== SIGNATURE && type !== COSIGNATURE)
    throw new Malformed('the verifier key is not of type 0x01 (Ed25519) or 0x04 (Ed25519 cosignature)');
  const key = verifierKey(name, type, bytes.subarray(1));
  if (key.id !== id) throw new Malformed(`the id of the verifier key is not ${key.id}, so the key was altered`);
  return key;
}

const SIGNATURE_LINE = /^\u2014 (\S+) (\S+)$/;

function readSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  if (!isKeyName(name))
    throw new Malformed('a signature line of the note does not consist of dash, name and signature');
  const bytes = base64Bytes(encoded, 'a signature of the note');
  if (bytes.length <= ID_BYTES) throw new Malformed('a signature of the note is too short');
  return { name, id: Buffer.from(bytes.subarray(0, ID_BYTES)).toString('hex'), bytes: bytes.subarray(ID_BYTES) };
}

/** Parses a signed note, without verifying it.
 * @throws Malformed */
export function parseNote(note: Uint8Array | string): Note {
  const all = typeof note === 'string' ? note : utf8(note, 'the note');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(all)) throw new Malformed('the note has a control character');
  const split = all.lastIndexOf('\n\n');
  if (split < 0) throw new Malformed('the note has no empty line before its signatures');
  if (!all.endsWith('\n')) throw new Malformed('the note does not end with a line break');
  const lines = all.slice(split + 2, -1).split('\n');
  if (lines[0] === '' || all.length === split + 2) throw new Malformed('the note has no signature');
  if (lines.length > MAX_SIGNATURES) throw new Malformed(`the note has more than ${MAX_SIGNATURES} signatures`);
  return { text: all.slice(0, split + 1), signatures: lines.map(readSignature) };
}

/** Returns the line of a signature, with its line break. */
export const formatSignature = ({ name, id, bytes }: NoteSignature): string =>
  `\u2014 ${name} ${base64(Buffer.concat([Buffer.from(id, 'hex'), bytes]))}\n`;

/** Returns a signed note.
 * @param text ends with a line break */
export const formatNote = ({ text, signatures }: Note): string =>
  `${text}\n${signatures.map(formatSignature).join('')}`;

type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type Algorithm = Parameters<typeof crypto.subtle.importKey>[2];
type SignatureAlgorithm = Parameters<typeof crypto.subtle.sign>[0];

const ed25519 = { name: 'Ed25519' };

/** A private key. The public half is needed for its id. */
export interface Signer {
  readonly key: VerifierKey;
  readonly privateKey: ImportedKey;
}

/** The JSON Web Key of an Ed25519 key (RFC 8037). */
interface Ed25519Jwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly d: string;
}

/** Makes a private key. */
export async function generateKey(): Promise<Ed25519Jwk> {
  const pair = (await crypto.subtle.generateKey(ed25519 as never, true, ['sign', 'verify'])) as unknown as {
    readonly privateKey: ImportedKey;
  };
  const { x, d } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as unknown as Ed25519Jwk;
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/** Imports a private key.
 * @throws Malformed without any part of the key in its message */
export async function importSigner(name: string, jwk: unknown, type: KeyType = SIGNATURE): Promise<Signer> {
  const { kty, crv, x, d } = (jwk ?? {}) as Partial<Ed25519Jwk>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || typeof d !== 'string')
    throw new Malformed('the private key is not a JSON Web Key with kty OKP, crv Ed25519, x and d');
  const key = verifierKey(name, type, Buffer.from(x, 'base64url'));
  try {
    const all = { kty, crv, x, d };
    const privateKey = await crypto.subtle.importKey('jwk', all as never, ed25519 as unknown as Algorithm, false, [
      'sign',
    ]);
    return { key, privateKey };
  } catch {
    throw new Malformed('the private key is not a valid Ed25519 key');
  }
}

const sign = async ({ privateKey }: Signer, message: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(
    (await crypto.subtle.sign(
      ed25519 as unknown as SignatureAlgorithm,
      privateKey as never,
      message as never,
    )) as ArrayBuffer,
  );

/** Returns what a cosigner signs (C2SP tlog-cosignature, "Ed25519 signed message"). */
const cosigned = (text: string, time: number): Uint8Array => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);

/** Returns eight bytes, the highest first. */
function timeBytes(time: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  for (let [at, rest] = [TIME_BYTES - 1, time]; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}

/** Signs the text of a note.
 * @param now seconds since the epoch, which a cosignature contains */
export async function signText(text: string, signer: Signer, now = 0): Promise<NoteSignature> {
  const { name, id, type } = signer.key;
  if (type === SIGNATURE) return { name, id, bytes: await sign(signer, Buffer.from(text)) };
  const time = Math.floor(now);
  const signature = await sign(signer, cosigned(text, time));
  return { name, id, bytes: Buffer.concat([timeBytes(time), signature]) };
}

/** A key that has signed a note. */
export interface Signed {
  readonly key: VerifierKey;
  /** When a cosigner signed, in seconds since the epoch. */
  readonly time?: number;
}

async function isSigned(key: VerifierKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  try {
    const publicKey = await crypto.subtle.importKey(
      'raw',
      key.publicKey as never,
      ed25519 as unknown as Algorithm,
      false,
      ['verify'],
    );
    return await crypto.subtle.verify(ed25519 as never, publicKey as never, signature as never, message as never);
  } catch {
    return false;
  }
}

async function verifyOne(text: string, key: VerifierKey, { bytes }: NoteSignature, now: number): Promise<Signed> {
  const [start, time] =
    key.type === COSIGNATURE
      ? [TIME_BYTES, bytes.subarray(0, TIME_BYTES).reduce((sum, byte) => sum * 256 + byte, 0)]
      : [0, undefined];
  const hasForm = bytes.length === start + ED25519_BYTES && Number.isSafeInteger(time ?? 0);
  const message = time === undefined ? Buffer.from(text) : cosigned(text, time);
  if (!hasForm || !(await isSigned(key, message, bytes.subarray(start))))
    throw new Malformed(`the signature of ${key.name}+${key.id} is not valid`);
  const problem = time === undefined ? undefined : timeProblem(time, now);
  if (problem !== undefined) throw new Malformed(`the cosignature of ${key.name}+${key.id} does not count: ${problem}`);
  return { key, ...(time !== undefined && { time }) };
}

/** Verifies the signatures of all keys that are known, and returns these keys. Signatures of other keys are ignored.
 * @param now seconds since the epoch: a cosignature of the future is not valid
 * @throws Malformed if the signature of a known key is not valid */
export async function verifyNote(note: Note, keys: readonly VerifierKey[], now = 0): Promise<readonly Signed[]> {
  const signed: Signed[] = [];
  for (const signature of note.signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
    if (key === undefined) continue;
    const one = await verifyOne(note.text, key, signature, now);
    if (!signed.some((other) => sameKey(other.key, key))) signed.push(one);
  }
  return signed;
}

export const sameKey = (one: VerifierKey, other: VerifierKey): boolean =>
  one.name === other.name && one.type === other.type && sameBytes(one.publicKey, other.publicKey);
