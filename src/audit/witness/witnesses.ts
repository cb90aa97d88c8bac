import { timeProblem } from '../log/clocks.ts';
import { tileReader } from '../log/log-reader.ts';
import { Malformed } from '../log/malformed.ts';
import { type Note, parseNote, parseVkey, type VerifierKey } from '../log/note.ts';
import type { WitnessSettings } from '../seal/settings.ts';
import { cosignatureIn, cosignedFile, submit, timeOf, type WitnessReply } from './submit.ts';

/* Keeps the cosignatures of a log's witnesses. Each witness has a file of its own, so none of them waits for another. */

/** A checkpoint that has not changed is cosigned again after so many seconds, so that its time stays new. */
const RENEW = 60;

export interface CosigningMachine {
  /** Reads a file below the folder of the log; undefined if it does not exist. */
  load(name: string): Uint8Array | undefined;
  /** Replaces a file below the folder of the log. */
  put(name: string, text: string): void;
  /** Returns the seconds since the epoch. */
  now(): number;
  /** Sends the body of a request to a witness.
   * @throws Error with a message if there is no answer */
  post(witness: WitnessSettings, body: string): Promise<WitnessReply>;
  /** Verifies the cosignature; absent if the engine cannot.
   * @throws Malformed */
  verify?(note: string, key: VerifierKey): Promise<void>;
}

const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** Returns a note; undefined if it is none. */
function noteOf(text: string | undefined): Note | undefined {
  try {
    return text === undefined ? undefined : parseNote(text);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** Returns when a witness cosigned the newest checkpoint, in seconds since the epoch; undefined if it never did, or if its
 * time cannot be right. */
export function cosignedAt(
  { load, now }: Pick<CosigningMachine, 'load' | 'now'>,
  key: VerifierKey,
): number | undefined {
  const note = noteOf(textOf(load(cosignedFile(key))));
  const signature = note && cosignatureIn(note, key);
  const time = signature && timeOf(signature);
  return time === undefined || timeProblem(time, now()) !== undefined ? undefined : time;
}

/** Sends the newest checkpoint to a witness, unless it has cosigned it within the last minute, and keeps its answer.
 * @throws Error with what is wrong */
export async function cosign(machine: CosigningMachine, witness: WitnessSettings): Promise<void> {
  const checkpoint = textOf(machine.load('checkpoint'));
  if (checkpoint === undefined) return;
  const key = parseVkey(witness.key);
  const before = textOf(machine.load(cosignedFile(key)));
  const age = machine.now() - (cosignedAt(machine, key) ?? 0);
  if (noteOf(before)?.text === noteOf(checkpoint)?.text && age < RENEW) return;
  const readTile = tileReader({ read: (name) => machine.load(name) });
  const post = (body: string) => machine.post(witness, body);
  const note = await submit({ checkpoint, before, readTile, key, post, now: machine.now });
  await machine.verify?.(note, key);
  machine.put(cosignedFile(key), note);
}
