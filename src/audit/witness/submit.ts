import { parseCheckpoint } from '../log/checkpoint.ts';
import { timeProblem } from '../log/clocks.ts';
import { decimal, Malformed } from '../log/malformed.ts';
import { consistencyProof } from '../log/merkle.ts';
import { formatNote, type Note, type NoteSignature, parseNote, type VerifierKey } from '../log/note.ts';
import { nodesOf, type ReadTile } from '../log/tiles.ts';
import { formatRequest, SIZE_TYPE } from './add-checkpoint.ts';

/* Sends a checkpoint to a witness (C2SP tlog-witness), and reads its cosignature. nginx's module has no Ed25519, so the
 * form of a cosignature is checked here, and the caller verifies it if it can. */

/** A file with the newest checkpoint that a witness has cosigned, below the folder of the log. */
export const cosignedFile = ({ name, id }: VerifierKey): string =>
  `witness/${name.replace(/[^A-Za-z0-9._-]/g, '_')}-${id}`;

export interface WitnessReply {
  readonly status: number;
  /** The media type. */
  readonly type: string;
  readonly text: string;
}

interface Submission {
  /** The signed checkpoint of the log. */
  readonly checkpoint: string;
  /** The checkpoint that this witness has cosigned before. */
  readonly before: string | undefined;
  readonly readTile: ReadTile;
  readonly key: VerifierKey;
  /** Sends the body of a request to the witness.
   * @throws Error with a message if there is no answer */
  post(body: string): Promise<WitnessReply>;
  /** Returns the seconds since the epoch. */
  now(): number;
}

/** 8 bytes of time, and an Ed25519 signature. */
const COSIGNATURE_BYTES = 72;

/** The time of a cosignature in seconds since the epoch. */
export const timeOf = ({ bytes }: NoteSignature): number =>
  bytes.subarray(0, 8).reduce((sum, byte) => sum * 256 + byte, 0);

/** Returns the cosignature of a witness in a note, without verifying it. */
export const cosignatureIn = ({ signatures }: Note, { name, id }: VerifierKey): NoteSignature | undefined =>
  signatures.find((it) => it.name === name && it.id === id && it.bytes.length === COSIGNATURE_BYTES);

function sizeOf(note: string | undefined): number {
  try {
    return note === undefined ? 0 : parseCheckpoint(parseNote(note).text).size;
  } catch {
    return 0;
  }
}

/** The first line of an answer, for a message. */
const reported = ({ text }: WitnessReply): string => {
  const line =
    text
      .split('\n', 1)[0]
      ?.replace(/[^\x20-\x7e]/g, '.')
      .slice(0, 200) ?? '';
  return line === '' ? '' : `: ${line}`;
};

/** Sends a checkpoint, and returns it with the cosignature of the witness.
 * @throws Malformed with what is wrong: the witness refuses, or its answer is not a cosignature */
export async function submit(submission: Submission): Promise<string> {
  const { checkpoint, before, key, now } = submission;
  const note = parseNote(checkpoint);
  const { size, origin } = parseCheckpoint(note.text);
  let old = sizeOf(before);
  let reply = await send(submission, Math.min(old, size), size);
  if (reply.status === 409) {
    const known = cosigned(reply);
    if (known > size)
      throw new Malformed(
        `it has cosigned ${known} leaves of ${origin}, and the log has only ${size}: the log was rolled back`,
      );
    if (known === Math.min(old, size)) throw forked(origin, size);
    old = known;
    reply = await send(submission, old, size);
    // The size is the right one now, so only the root can be another. Earlier witnesses say 409, and not 422.
    if (reply.status === 409 && old === size && cosigned(reply) === size) throw forked(origin, size);
  }
  if (reply.status === 422 && Math.min(old, size) === size) throw forked(origin, size);
  if (reply.status !== 200) throw new Malformed(refused(reply, origin, old));
  const signatures = parseNote(`${note.text}\n${reply.text}`);
  const signature = cosignatureIn(signatures, key);
  if (signature === undefined) throw new Malformed(`its answer has no cosignature of ${key.name}+${key.id}`);
  const problem = timeProblem(timeOf(signature), now());
  if (problem !== undefined) throw new Malformed(`its cosignature is not kept: ${problem}. Compare the clocks`);
  return formatNote({ text: note.text, signatures: [...note.signatures, signature] });
}

const forked = (origin: string, size: number) =>
  new Malformed(`it has cosigned another log ${origin} of ${size} leaves: the log was forked`);

function send({ checkpoint, readTile, post }: Submission, old: number, size: number): Promise<WitnessReply> {
  const proof = consistencyProof(old, size, nodesOf(size, readTile));
  return post(formatRequest({ old, proof, checkpoint }));
}

function cosigned(reply: WitnessReply): number {
  if (reply.type.split(';')[0]?.trim() !== SIZE_TYPE)
    throw new Malformed(`it answered 409 without the size that it has cosigned${reported(reply)}`);
  return decimal(reply.text.trim(), 'the size in the answer of the witness');
}

function refused(reply: WitnessReply, origin: string, old: number): string {
  const { status } = reply;
  if (status === 403)
    return `it does not know the key of ${origin} (403): give its operator the newest key of the log, which audit verify prints${reported(reply)}`;
  if (status === 404)
    return `it does not know the log ${origin}, or the URL is wrong (404): give its operator the newest key of the log, which audit verify prints${reported(reply)}`;
  if (status === 422)
    return `it says that the log does not continue the ${old} leaves that it has cosigned (422): the log was forked${reported(reply)}`;
  return `it answered ${status}${reported(reply)}`;
}
