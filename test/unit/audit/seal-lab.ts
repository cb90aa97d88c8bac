/** A folder with a log and a sealer for tests, and readers of a transparency log that share no code with it. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Disk, disk } from '../../../src/audit/seal/disk.ts';
import { Sealer, type SealMachine } from '../../../src/audit/seal/sealer.ts';
import type { SealSettings } from '../../../src/audit/seal/settings.ts';

const sha256 = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** MTH of RFC 6962 section 2.1. */
export function treeHash(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.from([0]), entries[0]!);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return sha256(Buffer.from([1]), treeHash(entries.slice(0, split)), treeHash(entries.slice(split)));
}

/** Reads a bundle of entries: each has two bytes for its length. */
function readBundle(bytes: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

export interface SealedLog {
  readonly checkpoint: string;
  readonly size: number;
  readonly entries: readonly Buffer[];
  /** The lines of the file among the entries. */
  readonly lines: readonly string[];
  /** The names of the events, from the first. */
  readonly events: readonly string[];
}

/** Reads the log that a folder has, and fails if its checkpoint has no valid signature or not the root of its entries. */
export function readSealed(folder: string): SealedLog {
  const checkpoint = readFileSync(join(folder, 'checkpoint'), 'utf8');
  const [body = '', signatures = ''] = checkpoint.split('\n\n');
  const [origin, size, root] = body.split('\n');
  const vkey = readFileSync(join(folder, 'keys/first'), 'utf8').trim();
  const x = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64').subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signature = Buffer.from(signatures.trim().split(' ')[2]!, 'base64').subarray(4);
  if (!verify(null, Buffer.from(`${body}\n`), key, signature)) throw new Error('the signature is not valid');
  const entries: Buffer[] = [];
  while (entries.length < Number(size)) {
    const index = entries.length / 256;
    const width = Math.min(256, Number(size) - entries.length);
    const name = String(index).padStart(3, '0');
    // A full bundle takes the place of its parts before the next checkpoint is signed.
    const paths = [`${name}.p/${width}`, name].map((it) => join(folder, 'tile/entries', it));
    const path = paths.find((it) => existsSync(it)) ?? name;
    entries.push(...readBundle(readFileSync(path)).slice(0, width));
  }
  if (treeHash(entries).toString('base64') !== root) throw new Error(`${origin} does not have the root of its entries`);
  const own = entries
    .filter((it) => it.toString().startsWith('{"meshgate.leaf":'))
    .map((it) => JSON.parse(it.toString()));
  return {
    checkpoint,
    size: Number(size),
    entries,
    lines: entries.map(String).filter((it) => !it.startsWith('{"meshgate.leaf":')),
    events: own.flatMap((it) => (it['meshgate.leaf'] === 'event' ? [it.event] : [])),
  };
}

let count = 0;

/** A line as nginx writes it. All have the same length. */
export const newLine = (): string =>
  `{"time":"2026-03-04T10:15:02+00:00","request_id":"${String(++count).padStart(32, '0')}","url.path":"/page","duration":0.000,"bytes":106}`;

export const newLines = (number: number): string[] => Array.from({ length: number }, newLine);

export interface Lab {
  readonly folder: string;
  readonly log: string;
  readonly settings: SealSettings & { readonly policies: string };
  readonly reported: string[];
  /** Seconds since the epoch, which a test changes. */
  now: number;
  machine(changed?: Partial<Disk>): SealMachine;
  open(changed?: Partial<Disk>): Promise<Sealer>;
  /** Appends lines as nginx does. */
  write(lines: readonly string[], file?: string): void;
  sealed(): SealedLog;
}

/** Makes a folder that is removed after the test. It is in memory, if it can be: the sealer waits for the disk. */
export function sealLab(below = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()): Lab {
  const folder = mkdtempSync(join(below, 'meshgate-seal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const settings = {
    log: join(folder, 'access.log'),
    folder: join(folder, 'audit'),
    origin: 'wiki.example.com/meshgate/gw-0',
    policies: join(folder, 'conf'),
  };
  mkdirSync(settings.policies);
  const lab: Lab = {
    folder,
    log: settings.log,
    settings,
    reported: [],
    now: 1_772_619_302,
    machine: (changed) => ({
      disk: { ...disk, ...changed },
      pid: process.pid,
      id: `test-${++count}`,
      now: () => lab.now * 1000,
      say: (text) => void lab.reported.push(text),
      sleep: async () => {},
    }),
    open: (changed) => Sealer.open(settings, lab.machine(changed)),
    write: (lines, file = settings.log) => appendFileSync(file, lines.map((line) => `${line}\n`).join('')),
    sealed: () => readSealed(settings.folder),
  };
  return lab;
}

/** A disk on which no file can be stored while `isFull`. */
export function fullDisk(): { isFull: boolean; readonly disk: Partial<Disk> } {
  const full = {
    isFull: false,
    disk: {
      put(...args: Parameters<Disk['put']>) {
        if (full.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        disk.put(...args);
      },
    },
  };
  return full;
}
