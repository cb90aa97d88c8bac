import type { KeyStep } from '../log/chain.ts';
import { parseCheckpoint } from '../log/checkpoint.ts';
import { type LogProof, verifyProof } from '../log/line-proof.ts';
import { type Published, readNote, tileReader } from '../log/log-reader.ts';
import { Malformed, sameBytes } from '../log/malformed.ts';
import { inclusionProof } from '../log/merkle.ts';
import { formatNote, type Note, parseNote, type VerifierKey } from '../log/note.ts';
import { nodesOf, TILE_WIDTH } from '../log/tiles.ts';
import { bundleOf, readStep, sizeOf } from './verify-log.ts';

/** A line of the log that belongs to an id. */
interface FoundLine {
  readonly index: number;
  readonly entry: Uint8Array;
  readonly requestId: string;
}

function idsOf(entry: Uint8Array): { readonly request?: unknown; readonly trace?: unknown } {
  try {
    const fields = JSON.parse(Buffer.from(entry).toString());
    return { request: fields.request_id, trace: fields.trace_id };
  } catch {
    return {};
  }
}

/** Returns the lines with a request id or a trace id, the newest first. A request id is unique, so the search ends with
 * its line.
 * @throws Malformed if the log cannot be read */
export function findLines(files: Published, id: string): readonly FoundLine[] {
  const size = sizeOf(files);
  const found: FoundLine[] = [];
  for (let bundle = Math.ceil(size / TILE_WIDTH) - 1; bundle >= 0; bundle--) {
    for (const [at, entry] of [...bundleOf(size, bundle, files).entries()].reverse()) {
      if (!Buffer.from(entry).includes(id)) continue;
      const { request, trace } = idsOf(entry);
      const line = { index: bundle * TILE_WIDTH + at, entry, requestId: String(request) };
      if (request === id) return [line];
      if (trace === id) found.push(line);
    }
  }
  return found;
}

/** Returns the checkpoints of a log that have the most signatures. The cosignatures of several witnesses for one
 * checkpoint are joined. */
function mostSigned(files: Published, covers: (size: number) => boolean): Note | undefined {
  const names = ['checkpoint', ...files.names('witness').map((name) => `witness/${name}`)];
  const byText = new Map<string, Note>();
  for (const name of names) {
    const { text, signatures } = parseNote(readNote(files, name));
    const known = byText.get(text)?.signatures ?? [];
    const isKnown = (id: string, bytes: Uint8Array) =>
      known.some((one) => one.id === id && sameBytes(one.bytes, bytes));
    const joined = [...known, ...signatures.filter(({ id, bytes }) => !isKnown(id, bytes))];
    if (covers(parseCheckpoint(text).size)) byText.set(text, { text, signatures: joined });
  }
  const all = [...byText.values()].sort((one, other) => other.signatures.length - one.signatures.length);
  return all[0];
}

/** Makes the proof that an entry is in the log. Its checkpoint is signed by the key of the time at which the entry was
 * sealed, or has the most cosignatures.
 * @throws Malformed */
export async function proveEntry(
  files: Published,
  { index, entry }: Pick<FoundLine, 'index' | 'entry'>,
  first: VerifierKey,
): Promise<LogProof> {
  const keys: KeyStep[] = [];
  let note: Note | undefined;
  for (let step = readStep(files, 0); step !== undefined && note === undefined; step = readStep(files, keys.length)) {
    const last = parseNote(step.checkpoint);
    if (parseCheckpoint(last.text).size > index) note = last;
    else keys.push(step);
  }
  note ??= mostSigned(files, (size) => size > index);
  if (note === undefined) throw new Malformed('no checkpoint covers the line yet');
  const { size } = parseCheckpoint(note.text);
  const hashes = inclusionProof(index, size, nodesOf(Math.max(size, sizeOf(files)), tileReader(files)));
  const proof: LogProof = { index, hashes, checkpoint: formatNote(note), entry, keys };
  await verifyProof(proof, first);
  return proof;
}
