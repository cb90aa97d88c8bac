import hash from 'crypto';
import { decodeUtf8, Malformed, sameBytes, utf8 } from './malformed.ts';
import { MAX_ENTRY_BYTES } from './tiles.ts';

/* What is sealed for a line, and the leaves that the sealer adds itself. Sealer and verifier share it. */

/** A line that begins so is not one of nginx. `{"meshgate.leaf"` with any text behind it must not become a leaf of the
 * sealer, nor one that a reader of JSON takes for it. Every leaf of the sealer begins with these bytes, and no other does. */
const claimed = Buffer.from('{"meshgate.leaf"');

/** The place of the last of these bytes. */
const CLAIMED_LAST = claimed.length - 1;

const LF = 0x0a;

const encoder = new TextEncoder();

/** A leaf of the sealer, by its kind:
 * - `policy`: a part of the compiled policy that the lines after it name by its digest
 * - `key`: the verifier key that signs the next checkpoints
 * - `event`: what happened to the sealer or to its file
 * - `foreign`: a line of the file that claims to be such a leaf
 * - `long`: a line of the file that is too long for an entry, or that is foreign and too long or not UTF-8 */
export type SealerLeaf =
  | {
      readonly kind: 'policy';
      readonly digest: string;
      readonly part: number;
      readonly parts: number;
      readonly text: string;
    }
  | { readonly kind: 'key'; readonly number: number; readonly key: string }
  | { readonly kind: 'event'; readonly event: string; readonly time: string; readonly detail?: string }
  | { readonly kind: 'foreign'; readonly line: string }
  | { readonly kind: 'long'; readonly sha256: string; readonly bytes: number };

/** Says which line that nginx did not write an entry stands for; undefined for any other leaf. */
export function foreignText(leaf: SealerLeaf): string | undefined {
  if (leaf.kind === 'foreign') return 'nginx did not write this line: it begins like an entry of the sealer (foreign)';
  return leaf.kind === 'long'
    ? `nginx did not write this line of ${leaf.bytes} bytes, and only its SHA-256 is sealed (long): ${leaf.sha256}`
    : undefined;
}

/** Returns the entry of a leaf of the sealer.
 * @throws Malformed if it is too long */
export function sealerEntry({ kind, ...fields }: SealerLeaf): Uint8Array {
  const entry = encoder.encode(JSON.stringify({ 'meshgate.leaf': kind, ...fields }));
  if (entry.length > MAX_ENTRY_BYTES) throw new Malformed(`a leaf has more than ${MAX_ENTRY_BYTES} bytes`);
  return entry;
}

// The last byte tells a leaf from nearly every line.
const beginsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  bytes[start.length - 1] === start[start.length - 1] &&
  bytes.length >= start.length &&
  sameBytes(bytes.subarray(0, start.length), start);

/** Returns the entry that is sealed for a line of the log. This is the line itself, except for lines that nginx does not
 * write: lines that claim to be a leaf of the sealer, and lines that are too long.
 * @param line its bytes without the line break */
export function leafOf(line: Uint8Array): Uint8Array {
  // A line of nginx has another byte there, so it needs no further look.
  if (line[CLAIMED_LAST] !== claimed[CLAIMED_LAST] && line.length <= MAX_ENTRY_BYTES) return line;
  const isForeign = beginsWith(line, claimed);
  if (!isForeign && line.length <= MAX_ENTRY_BYTES) return line;
  const text = isForeign && line.length <= MAX_ENTRY_BYTES ? decodeUtf8(line) : undefined;
  if (text !== undefined) {
    const entry = encoder.encode(JSON.stringify({ 'meshgate.leaf': 'foreign', line: text }));
    if (entry.length <= MAX_ENTRY_BYTES) return entry;
  }
  const long = new LongLine();
  long.add(line);
  return long.entry();
}

/** A line that is not kept: its digest stands for it, so it takes no memory however long it is. */
export class LongLine {
  readonly #hash = hash.createHash('sha256');
  /** Number of bytes. */
  bytes = 0;

  add(piece: Uint8Array): void {
    this.#hash.update(piece as Buffer);
    this.bytes += piece.length;
  }

  /** Returns the entry that is sealed for the line. Call this once, after all pieces. */
  entry(): Uint8Array {
    return sealerEntry({ kind: 'long', sha256: this.#hash.digest('hex'), bytes: this.bytes });
  }
}

/** Whether an entry begins like a leaf of the sealer, and so is no line as nginx wrote it. */
export const isClaimed = (entry: Uint8Array): boolean => beginsWith(entry, claimed);

/** Reads an entry as a leaf of the sealer; undefined if it is a line. A leaf has exactly the bytes that the sealer writes
 * for it, so no reader can take it for another.
 * @throws Malformed if it begins like a leaf of the sealer but is not one, or contains a line break */
export function readSealerLeaf(entry: Uint8Array): SealerLeaf | undefined {
  if (!isClaimed(entry)) {
    // It would be two lines in the output of a command.
    if (entry.includes(LF)) throw new Malformed('an entry contains a line break, so it is no line of a file');
    return undefined;
  }
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(utf8(entry, 'a leaf of the sealer'));
  } catch {
    throw new Malformed('a leaf of the sealer is not JSON');
  }
  const { 'meshgate.leaf': kind, ...fields } = value;
  const form = typeof kind === 'string' && Object.hasOwn(FORMS, kind) ? FORMS[kind as SealerLeaf['kind']] : undefined;
  if (form === undefined) throw new Malformed('a leaf of the sealer has an unknown kind');
  for (const [name, type] of Object.entries(form)) {
    const isThere = type === 'number' ? Number.isSafeInteger(fields[name]) : typeof fields[name] === type;
    const isAbsent = OPTIONAL.includes(name) && fields[name] === undefined;
    if (!isThere && !isAbsent) throw new Malformed(`a leaf of the sealer of kind ${kind} has no ${type} ${name}`);
  }
  const names = Object.keys(form).filter((name) => fields[name] !== undefined);
  if (Object.keys(fields).join() !== names.join())
    throw new Malformed(`a leaf of the sealer of kind ${kind} has an unknown member`);
  const leaf = { kind, ...fields } as SealerLeaf;
  if (leaf.kind === 'long' && !(/^[0-9a-f]{64}$/.test(leaf.sha256) && leaf.bytes > 0))
    throw new Malformed('a leaf of the sealer of kind long has no SHA-256 of a line');
  const written = leaf.kind === 'foreign' ? leafOf(encoder.encode(leaf.line)) : sealerEntry(leaf);
  if (!sameBytes(written, entry)) throw new Malformed(`a leaf of the sealer of kind ${kind} has other bytes`);
  return leaf;
}

const OPTIONAL: readonly string[] = ['detail'];

/** The members of each kind, in their order. */
const FORMS: Readonly<Record<SealerLeaf['kind'], Readonly<Record<string, 'string' | 'number'>>>> = {
  policy: { digest: 'string', part: 'number', parts: 'number', text: 'string' },
  key: { number: 'number', key: 'string' },
  event: { event: 'string', time: 'string', detail: 'string' },
  foreign: { line: 'string' },
  long: { sha256: 'string', bytes: 'number' },
};
