import { base64, base64Bytes, decimal, Malformed, utf8 } from '../log/malformed.ts';
import { HASH_BYTES } from '../log/merkle.ts';

/* The request of C2SP tlog-witness: `old SIZE`, the lines of the consistency proof, an empty line, and the checkpoint. */

/** The path below the URL of a witness. */
export const ADD_CHECKPOINT = '/add-checkpoint';

/** The media type of an answer that has the size of the newest checkpoint that the witness has cosigned. */
export const SIZE_TYPE = 'text/x.tlog.size';

/** Maximum number of hashes in a proof. */
const MAX_PROOF = 63;

/** Maximum number of bytes of a request: the proof, and a checkpoint with many signatures. */
export const MAX_REQUEST_BYTES = 16 * 1024;

interface AddCheckpoint {
  /** The size of the newest checkpoint that the witness has cosigned. */
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** Returns the body of a request. */
export const formatRequest = ({ old, proof, checkpoint }: AddCheckpoint): string =>
  `old ${old}\n${proof.map((hash) => `${base64(hash)}\n`).join('')}\n${checkpoint}`;

/** Parses the body of a request.
 * @throws Malformed */
export function parseRequest(body: Uint8Array | string): AddCheckpoint {
  const text = typeof body === 'string' ? body : utf8(body, 'the request');
  const end = text.indexOf('\n\n');
  if (end < 0) throw new Malformed('the request has no empty line before the checkpoint');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  if (!first.startsWith('old ')) throw new Malformed('the first line of the request is not "old" and a size');
  if (lines.length > MAX_PROOF) throw new Malformed(`the proof has more than ${MAX_PROOF} lines`);
  const proof = lines.map((line) => base64Bytes(line, 'a line of the proof'));
  if (proof.some((hash) => hash.length !== HASH_BYTES))
    throw new Malformed(`a line of the proof has not ${HASH_BYTES} bytes`);
  return { old: decimal(first.slice(4), 'the old size'), proof, checkpoint: text.slice(end + 2) };
}
