import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { lineText } from './logged.ts';
import { TEST_KEY } from './specs.ts';

/* Makes sealed logs by the definitions of RFC 6962 and C2SP, and not with the code under test. */

export const ORIGIN = 'wiki.example.com/meshgate/gw-0';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const leafHashOf = (entry: string): Buffer => sha256(Buffer.of(0), Buffer.from(entry));

/** MTH of RFC 6962 section 2.1. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length < 2) return leaves[0] ?? sha256();
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** A key that signs notes. */
export interface NoteKey {
  readonly name: string;
  readonly vkey: string;
  readonly id: Buffer;
  readonly type: number;
  readonly privateKey: KeyObject;
}

/** @param type 1 for the key of a log, 4 for that of a witness
 * @param privateKey a new one by default */
export function noteKey(name = ORIGIN, type = 1, privateKey = generateKeyPairSync('ed25519').privateKey): NoteKey {
  const publicKey = createPublicKey(privateKey);
  const bytes = Buffer.concat([Buffer.of(type), Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')]);
  const id = sha256(Buffer.from(`${name}\n`), bytes).subarray(0, 4);
  return { name, type, id, privateKey, vkey: `${name}+${id.toString('hex')}+${bytes.toString('base64')}` };
}

/** The key of RFC 8032 section 7.1, test 1, for documents that must not change. */
export const documentedKey = (): NoteKey => noteKey(ORIGIN, 1, createPrivateKey({ key: TEST_KEY, format: 'jwk' }));

/** Returns the signature line of a key for the text of a checkpoint. */
export function signatureLine({ name, id, type, privateKey }: NoteKey, text: string, time = 1_772_619_300): string {
  const seconds = Buffer.alloc(type === 4 ? 8 : 0);
  if (type === 4) seconds.writeBigUInt64BE(BigInt(time));
  const message = type === 4 ? `cosignature/v1\ntime ${time}\n${text}` : text;
  const bytes = Buffer.concat([id, seconds, sign(null, Buffer.from(message), privateKey)]);
  return `\u2014 ${name} ${bytes.toString('base64')}\n`;
}

/** Returns a signed checkpoint of the first entries. */
export function checkpointOf(entries: readonly string[], keys: readonly NoteKey[], origin = ORIGIN): string {
  const text = `${origin}\n${entries.length}\n${treeHash(entries.map(leafHashOf)).toString('base64')}\n`;
  return `${text}\n${keys.map((key) => signatureLine(key, text)).join('')}`;
}

/** The number of a tile as path elements of three digits. */
function numberPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  return (padded.match(/\d{3}/g) as string[])
    .join('/x')
    .replace(/^(.*\/)?x?(\d{3})$/, '$1$2')
    .replace(/^(\d{3})\//, 'x$1/');
}

/** The names of files, with their bytes. */
export type Folder = Record<string, Uint8Array>;

function putTiles(folder: Folder, level: string, parts: readonly Buffer[]): void {
  for (let first = 0; first < parts.length; first += 256) {
    const tile = parts.slice(first, first + 256);
    const path = `tile/${level}/${numberPath(first / 256)}${tile.length < 256 ? `.p/${tile.length}` : ''}`;
    folder[path] = Buffer.concat(tile);
  }
}

/** Returns the tiles and bundles of entries. */
export function tilesOf(entries: readonly string[]): Folder {
  const folder: Folder = {};
  const bundled = entries.map((entry) => {
    const bytes = Buffer.from(entry);
    return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
  });
  putTiles(folder, 'entries', bundled);
  let hashes = entries.map(leafHashOf);
  for (let level = 0; hashes.length > 0; level++) {
    putTiles(folder, String(level), hashes);
    const full = Array.from({ length: Math.floor(hashes.length / 256) }, (_, tile) => tile * 256);
    hashes = full.map((first) => treeHash(hashes.slice(first, first + 256)));
  }
  return folder;
}

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomFrom(seed: string): () => number {
  let [block, at] = [sha256(Buffer.from(seed)), 0];
  return () => {
    if (at === 8) [block, at] = [sha256(block), 0];
    return block.readUInt32BE(4 * at++) / 2 ** 32;
  };
}

/** Returns lines as nginx writes them, one second apart.
 * @param first seconds from the beginning of the log to the first line */
export function requestLines(seed: string, count: number, first = 0): string[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, at) => {
    const id = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
    const time = new Date(1_772_619_302_000 + (first + at) * 1000).toISOString().replace('.000Z', '+00:00');
    const path = `/page/${Math.floor(random() * 1e6)}/${'x'.repeat(Math.floor(random() * 100))}`;
    return lineText({ time, request_id: id, trace_id: id, 'url.path': path, bytes: Math.floor(random() * 1e6) });
  });
}

export interface SealedLog {
  readonly lines: readonly string[];
  readonly entries: readonly string[];
  /** Number of lines that are sealed. */
  readonly sealed: number;
  readonly keys: readonly NoteKey[];
  readonly witness: NoteKey;
  readonly folder: Folder;
}

/** Makes a log whose last lines are not sealed, within one second.
 * @param changes numbers of lines before which the key changes */
export function sealedLog(
  seed: string,
  count: number,
  { unsealed = 2, changes = [] as readonly number[], keys = [] as NoteKey[] } = {},
): SealedLog {
  const sealed = count - unsealed;
  const lines = [
    ...requestLines(seed, sealed),
    ...requestLines(`${seed} tail`, unsealed, sealed).map((line) =>
      line.replace(
        /"time":"[^"]*"/,
        `"time":"${new Date(1_772_619_302_000 + sealed * 1000).toISOString().replace('.000Z', '+00:00')}"`,
      ),
    ),
  ];
  const all = keys.length > 0 ? keys : [noteKey(), ...changes.map(() => noteKey())];
  const witness = noteKey('witness.example.com/w', 4);
  return { lines, sealed, keys: all, witness, ...seal(lines.slice(0, sealed), all, changes) };
}

/** Seals lines.
 * @param changes numbers of lines before which the next key begins */
export function seal(lines: readonly string[], keys: readonly NoteKey[], changes: readonly number[] = []) {
  const folder: Folder = { 'keys/first': Buffer.from(`${keys[0]!.vkey}\n`) };
  const entries = ['{"meshgate.leaf":"event","event":"started","time":"2026-03-04T10:15:00Z"}'];
  for (const [at, line] of lines.entries()) {
    const change = changes.indexOf(at);
    if (change >= 0) {
      entries.push(JSON.stringify({ 'meshgate.leaf': 'key', number: change + 1, key: keys[change + 1]!.vkey }));
      folder[`keys/${change}`] = Buffer.from(checkpointOf(entries, [keys[change]!]));
    }
    entries.push(line);
  }
  Object.assign(folder, tilesOf(entries), { checkpoint: Buffer.from(checkpointOf(entries, [keys.at(-1)!])) });
  return { entries, folder };
}

/** Returns a folder as files below a path. */
export const filesOf = (folder: Folder, path = '/audit'): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(folder).map(([name, bytes]) => [`${path}/${name}`, bytes]));

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
