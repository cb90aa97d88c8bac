import { base64, base64Bytes, decimal, Malformed, sameBytes } from './malformed.ts';
import { EMPTY_ROOT, HASH_BYTES, type Tree } from './merkle.ts';
import {
  formatNote,
  type Note,
  parseNote,
  type Signed,
  type Signer,
  signText,
  type VerifierKey,
  verifyNote,
} from './note.ts';

/* Checkpoints of C2SP tlog-checkpoint: a signed note with the origin, size and root of a log. */

export interface Checkpoint extends Tree {
  readonly origin: string;
}

/** Returns the text of a checkpoint, which is to be signed. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${base64(root)}\n`;

/** Parses the text of a checkpoint. Extension lines are accepted and ignored.
 * @throws Malformed */
export function parseCheckpoint(text: string): Checkpoint {
  const checkpoint = parseAnyRoot(text);
  if (checkpoint.size === 0 && !sameBytes(checkpoint.root, EMPTY_ROOT))
    throw new Malformed('the checkpoint of an empty log has not the root of the empty tree');
  return checkpoint;
}

/** Parses the text of a checkpoint, which may have any root at size 0: a witness answers such a one in its own way.
 * @throws Malformed */
export function parseAnyRoot(text: string): Checkpoint {
  const [origin = '', size, root, ...more] = text.split('\n');
  if (size === undefined || root === undefined || more.length === 0)
    throw new Malformed('a checkpoint has three lines: origin, size and root');
  if (origin === '') throw new Malformed('the origin of the checkpoint is empty');
  if (more.slice(0, -1).includes('')) throw new Malformed('the checkpoint has an empty line');
  const tree = {
    size: decimal(size, 'the size of the checkpoint'),
    root: base64Bytes(root, 'the root of the checkpoint'),
  };
  if (tree.root.length !== HASH_BYTES) throw new Malformed(`the root of the checkpoint has not ${HASH_BYTES} bytes`);
  return { origin, ...tree };
}

/** Signs a checkpoint, and returns the note. */
export async function signCheckpoint(checkpoint: Checkpoint, signer: Signer): Promise<string> {
  const text = checkpointText(checkpoint);
  return formatNote({ text, signatures: [await signText(text, signer)] });
}

/** A checkpoint with its signatures that were verified. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note;
  readonly signed: readonly Signed[];
}

/** Verifies a checkpoint.
 * @param keys at least one of these must have signed it; the name of a log's key is its origin
 * @param witnesses their cosignatures are verified if they are there
 * @param now seconds since the epoch, to which the times of cosignatures are compared
 * @throws Malformed */
export async function openCheckpoint(
  text: Uint8Array | string,
  keys: readonly VerifierKey[],
  witnesses: readonly VerifierKey[] = [],
  now = 0,
): Promise<OpenedCheckpoint> {
  const note = parseNote(text);
  const checkpoint = parseCheckpoint(note.text);
  const signed = await verifyNote(note, [...keys, ...witnesses], now);
  if (!signed.some(({ key }) => keys.includes(key) && key.name === checkpoint.origin))
    throw new Malformed(
      `the checkpoint of ${checkpoint.origin} is not signed by ${keys.map(({ name, id }) => `${name}+${id}`).join(' or ')}`,
    );
  return { ...checkpoint, note, signed };
}
