import { chainOf, follow, type KeyChain, type KeyStep, keysFor } from '../log/chain.ts';
import { type Checkpoint, type OpenedCheckpoint, openCheckpoint, parseCheckpoint } from '../log/checkpoint.ts';
import { readSealerLeaf, type SealerLeaf } from '../log/leaf.ts';
import { type Published, readNote, tileReader } from '../log/log-reader.ts';
import { Malformed, sameBytes } from '../log/malformed.ts';
import { inclusionProof, leafHash, rootOf } from '../log/merkle.ts';
import { formatVkey, parseNote, type VerifierKey } from '../log/note.ts';
import { entriesOf, hashesAt, nodesOf, TILE_WIDTH, tilePath } from '../log/tiles.ts';
import { type BadFile, checkTiles, type Visitor } from './check-tiles.ts';
import { strangeFiles } from './folder-files.ts';
import { type LongKey, LongKeys } from './long-keys.ts';
import { SealedHashes } from './match-lines.ts';
import { SealedPolicies } from './sealed-policies.ts';

/** A problem of the log itself, and not of the files with lines. */
export interface LogFinding {
  readonly kind: 'checkpoint' | 'file' | 'tile' | 'entry' | 'key' | 'rollback' | 'fork' | 'witness';
  /** The file, in the log or given. */
  readonly file: string;
  readonly entry?: number;
  readonly problem: string;
}

/** A cosignature that was verified. */
interface Cosigned {
  readonly witness: string;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly time: number;
}

/** An event that the sealer has recorded in the log. */
interface SealedEvent {
  readonly entry: number;
  readonly event: string;
  readonly time: string;
}

export interface VerifiedLog {
  readonly checkpoint: Checkpoint;
  /** The number of keys, and the newest one. */
  readonly keys: number;
  readonly newestKey: VerifierKey;
  readonly cosigned: readonly Cosigned[];
  /** The checkpoints of the auditor that the log continues. */
  readonly continued: readonly { readonly file: string; readonly size: number }[];
  /** The first events, `started` and others each. */
  readonly events: readonly SealedEvent[];
  /** Number of events other than `started` that are not among them. */
  readonly moreEvents: number;
  /** Number of entries for lines that nginx does not write: they claim to be entries of the sealer, or are too long. */
  readonly foreign: number;
  /** The keys that signed for hours without a cosignature that was verified. */
  readonly longKeys: readonly LongKey[];
  readonly findings: readonly LogFinding[];
  readonly hashes: SealedHashes;
  /** Returns the bytes of an entry; undefined if the log does not have them. */
  readonly entry: (index: number) => Uint8Array | undefined;
}

interface VerifyOptions {
  readonly key: VerifierKey;
  /** Checkpoints that the auditor has kept, by the name of their file. */
  readonly kept: readonly { readonly name: string; readonly text: Uint8Array }[];
  readonly witnesses: readonly VerifierKey[];
  /** Seconds since the epoch. A cosignature of the future is not valid. */
  readonly now: number;
}

/** Maximum number of events that are kept, `started` and others each: many starts hide nothing else. */
const MAX_EVENTS = 1000;

/** Entries have indexes of 31 bits in memory. */
const MAX_SIZE = 2 ** 31 - 1;

/** The bundles that may be missing if the size is not signed. */
const MAX_ABSENT = 64;

/** Returns the message of a problem, and throws any other error again. */
function problemText(error: unknown): string {
  if (error instanceof Malformed) return error.message;
  throw error;
}

/** Returns the size of a log, without verifying it. A log need not have the partial tiles of smaller sizes.
 * @throws Malformed */
export const sizeOf = (files: Published): number => parseCheckpoint(parseNote(readNote(files, 'checkpoint')).text).size;

/** Reads step `number` of a log's chain of keys; undefined if there is none.
 * @throws Malformed */
export function readStep(files: Published, number: number): KeyStep | undefined {
  const checkpoint = files.read(`keys/${number}`);
  if (checkpoint === undefined) return undefined;
  const { size } = parseCheckpoint(parseNote(checkpoint).text);
  const all = sizeOf(files);
  if (size === 0) throw new Malformed('the checkpoint of an empty log names no key');
  if (size > all) throw new Malformed(`it has ${size} entries, and the log only ${all}`);
  const proof = inclusionProof(size - 1, size, nodesOf(all, tileReader(files)));
  return { checkpoint, leaf: entryAt(all, size - 1, files), proof };
}

/** Follows the keys of a log, as far as they are proven. The last result is what is wrong with the next one, if it is
 * not proven. */
async function readChain(
  files: Published,
  first: VerifierKey,
): Promise<{ readonly chain: KeyChain; readonly steps: readonly KeyStep[]; readonly broken?: LogFinding }> {
  const steps: KeyStep[] = [];
  let chain = chainOf(first);
  for (;;) {
    try {
      const step = readStep(files, steps.length);
      if (step === undefined) return { chain, steps };
      chain = await follow(chain, step);
      steps.push(step);
    } catch (error) {
      return { chain, steps, broken: { kind: 'key', file: `keys/${steps.length}`, problem: problemText(error) } };
    }
  }
}

/** Reads an entry of a log of this size.
 * @throws Malformed */
function entryAt(size: number, index: number, files: Pick<Published, 'read'>): Uint8Array {
  return bundleOf(size, Math.floor(index / TILE_WIDTH), files)[index % TILE_WIDTH] as Uint8Array;
}

/** Reads a bundle of entries.
 * @throws Malformed */
export function bundleOf(size: number, index: number, files: Pick<Published, 'read'>): readonly Uint8Array[] {
  const width = Math.min(TILE_WIDTH, hashesAt('entries', size) - index * TILE_WIDTH);
  const tile = { level: 'entries', index, width } as const;
  try {
    return entriesOf(tileReader(files)(tile), width);
  } catch (error) {
    throw new Malformed(`${tilePath(tile)}: ${problemText(error)}`);
  }
}

/** Verifies the folder of a log: signatures, tiles, entries, keys, and that it continues all checkpoints that are known.
 * @throws Malformed if it has no checkpoint */
export async function verifyLog(files: Published, { key, kept, witnesses, now }: VerifyOptions): Promise<VerifiedLog> {
  const findings: LogFinding[] = [];
  const { chain, broken } = await readChain(files, key);
  if (broken !== undefined) findings.push(broken);
  const text = readNote(files, 'checkpoint');
  const checkpoint: Checkpoint & Partial<OpenedCheckpoint> = await openWith(chain, text, witnesses, now).catch(
    (error) => {
      findings.push({ kind: 'checkpoint', file: 'checkpoint', problem: problemText(error) });
      // The rest is checked all the same, so that what was altered has a name.
      return parseCheckpoint(parseNote(text).text);
    },
  );
  const { size } = checkpoint;
  // No one has signed this size, so it must not decide how much is read.
  if (checkpoint.signed === undefined) checkPresent(files, size);
  if (size > MAX_SIZE) throw new Malformed(`it has ${size} entries, and this command verifies at most ${MAX_SIZE}`);
  const policies = new SealedPolicies();
  const hashes = new SealedHashes(size);
  const events: SealedEvent[] = [];
  let [starts, others] = [0, 0];
  let foreign = 0;
  const longKeys = new LongKeys(chain.last.map((last) => last.size));

  const bad = ({ path, index, problem }: BadFile): void => {
    findings.push({
      kind: index === undefined ? 'tile' : 'entry',
      file: path,
      problem,
      ...(index !== undefined && { entry: index }),
    });
  };
  const visit: Visitor['entry'] = (index, entry, hash, isSealed) => {
    const read = entry && leafIn(entry);
    const problem = read?.problem ?? (read && policies.add(read.leaf).problem);
    if (problem !== undefined && isSealed)
      findings.push({ kind: 'entry', file: 'tile/entries', entry: index, problem });
    const leaf = isSealed ? read?.leaf : undefined;
    const isForeign = read?.leaf?.kind === 'foreign' || read?.leaf?.kind === 'long';
    if (isForeign) foreign++;
    if (entry !== undefined && read?.leaf === undefined) longKeys.add(index, entry);
    hashes.set(
      index,
      hash,
      entry === undefined || isForeign || (read?.leaf === undefined && read?.problem === undefined),
    );
    if (leaf?.kind !== 'event') return;
    if ((leaf.event === 'started' ? starts++ : others++) < MAX_EVENTS)
      events.push({ entry: index, event: leaf.event, time: leaf.time });
  };
  const { isRoot, sealed } = checkTiles(checkpoint, tileReader(files), { bad, entry: visit });
  const open = policies.end();
  if (open !== undefined) findings.push({ kind: 'entry', file: 'tile/entries', entry: size - 1, problem: open });
  if (!isRoot) findings.push({ kind: 'tile', file: 'checkpoint', problem: 'its root is not that of the tiles' });

  const nodes = nodesOf(size, (tile) =>
    tile.level === 0 ? hashes.part(tile.index * TILE_WIDTH, tile.width) : sealed(tile),
  );
  const rootAt = (older: number): Uint8Array | undefined => attempted(() => rootOf(older, nodes));
  const compare = (file: string, older: Checkpoint): boolean => {
    const problem = `${file} has ${older.size} entries`;
    if (older.size > size) findings.push({ kind: 'rollback', file, problem: `${problem}, and the log only ${size}` });
    else if (!sameBytes(rootAt(older.size) ?? new Uint8Array(0), older.root))
      findings.push({ kind: 'fork', file, problem: `${problem}, and the log does not begin with them` });
    else return true;
    return false;
  };
  for (const [number, last] of chain.last.entries()) compare(`keys/${number}`, last);
  const continued: { readonly file: string; readonly size: number }[] = [];
  for (const { name: file, text } of kept) {
    try {
      const older = await openWith(chain, text, witnesses, now);
      if (compare(file, older)) continued.push({ file, size: older.size });
    } catch (error) {
      const isNote = attempted(() => parseNote(text)) !== undefined;
      const problem = `${isNote ? '' : 'it is no checkpoint: '}${problemText(error)}`;
      findings.push({ kind: 'checkpoint', file, problem });
    }
  }
  const first = attempted(() => files.read('keys/first'));
  if (first !== undefined && Buffer.from(first).toString() !== `${formatVkey(key)}\n`)
    findings.push({ kind: 'key', file: 'keys/first', problem: 'it is not the key that was given' });
  for (const strange of strangeFiles(files, { size, steps: chain.last.length, read: tileReader(files) }))
    findings.push({ kind: 'file', ...strange });
  const cosigned = await cosignatures();
  return {
    checkpoint,
    keys: chain.keys.length,
    newestKey: chain.keys[chain.keys.length - 1] as VerifierKey,
    cosigned,
    continued,
    events,
    moreEvents: Math.max(0, others - MAX_EVENTS),
    foreign,
    longKeys: longKeys.list(Math.max(0, ...cosigned.map((it) => it.size))),
    findings,
    hashes,
    entry: entryReader(files, hashes),
  };

  /** Verifies the checkpoints that witnesses have signed, and returns the newest of each one. */
  async function cosignatures(): Promise<readonly Cosigned[]> {
    const newest = new Map<string, Cosigned>();
    const add = ({ signed = [], size }: Pick<Checkpoint, 'size'> & Partial<OpenedCheckpoint>): void => {
      for (const { key, time } of signed) {
        const own = `${key.name}+${key.id}`;
        if (time === undefined || size < (newest.get(own)?.size ?? 0)) continue;
        newest.set(own, { witness: key.name, size, time });
      }
    };
    add(checkpoint);
    // A file that is being written is not one of the log.
    for (const name of files.names('witness').filter((it) => !it.endsWith('.new'))) {
      const file = `witness/${name}`;
      try {
        const opened = await openWith(chain, readNote(files, file), witnesses, now);
        compare(file, opened);
        add(opened);
      } catch (error) {
        findings.push({ kind: 'witness', file, problem: problemText(error) });
      }
    }
    for (const { name, id } of witnesses) {
      if (!newest.has(`${name}+${id}`))
        findings.push({
          kind: 'witness',
          file: 'witness',
          problem: `no checkpoint has a cosignature of ${name}+${id}`,
        });
    }
    return [...newest.values()];
  }
}

/** Reads an entry as a leaf of the sealer. One that only looks like a leaf would be invisible. */
function leafIn(entry: Uint8Array): { readonly leaf?: SealerLeaf | undefined; readonly problem?: string } {
  try {
    return { leaf: readSealerLeaf(entry) };
  } catch (error) {
    return { problem: problemText(error) };
  }
}

/** Checks that a log has about as many entries as a checkpoint says that no key of the log has signed.
 * @throws Malformed */
function checkPresent(files: Published, size: number): void {
  let absent = 0;
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const tile = { level: 'entries', index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) } as const;
    const isThere = (width: number) => attempted(() => files.read(tilePath({ ...tile, width }))) !== undefined;
    if (!isThere(tile.width) && !isThere(TILE_WIDTH) && ++absent > MAX_ABSENT)
      throw new Malformed(`no key of the log has signed it, and the log does not have its ${size} entries`);
  }
}

/** Returns a function that reads entries. It keeps the last bundle, because most calls are for the next entry. */
function entryReader(files: Published, hashes: SealedHashes): VerifiedLog['entry'] {
  let [last, entries]: [number, readonly Uint8Array[]] = [-1, []];
  return (index) => {
    const bundle = Math.floor(index / TILE_WIDTH);
    if (bundle !== last) [last, entries] = [bundle, attempted(() => bundleOf(hashes.size, bundle, files)) ?? []];
    const entry = entries[index % TILE_WIDTH];
    return entry !== undefined && hashes.has(index, leafHash(entry)) ? entry : undefined;
  };
}

function attempted<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** Opens a checkpoint with the keys that may sign one of its size. */
async function openWith(
  chain: KeyChain,
  text: Uint8Array | string,
  witnesses: readonly VerifierKey[],
  now: number,
): Promise<OpenedCheckpoint> {
  const opened = await openCheckpoint(text, chain.keys, witnesses, now);
  const allowed = keysFor(chain, opened.size);
  if (!opened.signed.some(({ key }) => allowed.includes(key)))
    throw new Malformed(`a key of another time has signed the checkpoint of ${opened.size} entries`);
  return opened;
}

/** Returns the entries of a transparency log in their order, as many as its checkpoint has, from the files that `audit
 * verify` reads. Whether the checkpoint is signed and has their root is not checked.
 * @throws Malformed if the checkpoint or a bundle of entries is not valid */
export function* sealedEntries(files: Published): Generator<Uint8Array> {
  if (files.read('checkpoint') === undefined) return;
  const size = sizeOf(files);
  for (let index = 0; index * TILE_WIDTH < size; index++) yield* bundleOf(size, index, files);
}
