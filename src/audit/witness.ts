import { ADD_CHECKPOINT, parseRequest, SIZE_TYPE } from './add-checkpoint.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { base64, Malformed, sameBytes } from './malformed.ts';
import { EMPTY_ROOT, isConsistent, type Tree } from './merkle.ts';
import { formatSignature, parseNote, type Signer, signText, type VerifierKey, verifyNote } from './note.ts';

/* A witness of C2SP tlog-witness. It cosigns a checkpoint only if the log continues the newest one that it has cosigned. */

/** The newest checkpoint that was cosigned, for each log. */
export interface WitnessStore {
  /** Returns the tree; undefined if no checkpoint of this origin was cosigned.
   * @throws if it cannot be read: then nothing is cosigned */
  load(origin: string): Tree | undefined;
  /** Stores a tree so that it survives the end of the process.
   * @param checkpoint the signed note
   * @throws if it cannot be stored: then nothing is cosigned */
  store(origin: string, tree: Tree, checkpoint: string): void;
}

export interface WitnessAnswer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  /** A problem with a log, for the operator of the witness. */
  readonly says?: string;
}

export class Witness {
  readonly #signer: Signer;
  readonly #logs: readonly VerifierKey[];
  readonly #store: WitnessStore;
  readonly #now: () => number;
  /** The end of the request before: requests are decided one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param logs the keys of the logs; their names are the origins
   * @param now returns the seconds since the epoch */
  constructor(signer: Signer, logs: readonly VerifierKey[], store: WitnessStore, now: () => number) {
    this.#signer = signer;
    this.#logs = logs;
    this.#store = store;
    this.#now = now;
  }

  /** Answers a request. */
  answer(method: string, path: string, body: Uint8Array): Promise<WitnessAnswer> {
    if (path !== ADD_CHECKPOINT) return Promise.resolve(refusal(404, `there is only ${ADD_CHECKPOINT}`));
    if (method !== 'POST') return Promise.resolve(refusal(405, 'send the checkpoint with POST'));
    // Between the look at the size and its change, no other request may change it.
    const answer = this.#last.then(() => this.#add(body));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async #add(body: Uint8Array): Promise<WitnessAnswer> {
    let origin = '';
    try {
      const { old, proof, checkpoint } = parseRequest(body);
      const note = parseNote(checkpoint);
      const tree = parseCheckpoint(note.text);
      origin = tree.origin;
      const keys = this.#logs.filter(({ name }) => name === origin);
      if (keys.length === 0)
        return refusal(
          404,
          `this witness does not know the log ${origin}: start it with --log and the newest key of the log`,
        );
      const signed = await verifyNote(note, keys).catch(() => []);
      if (signed.length === 0) {
        const ids = (all: readonly { readonly name: string; readonly id: string }[]) =>
          all.flatMap(({ name, id }) => (name === origin ? [id] : [])).join(' or ');
        return refusal(
          403,
          `the key ${ids(note.signatures)} of ${origin} has signed it, and this witness knows ${ids(keys)}: start it with --log and the newest key of the log`,
        );
      }
      if (old > tree.size) return refusal(400, `the old size ${old} is greater than ${tree.size}`);
      const known = this.#store.load(origin) ?? { size: 0, root: EMPTY_ROOT };
      if (old !== known.size) {
        const says =
          tree.size < known.size
            ? `${origin} has sent ${tree.size} leaves after ${known.size}: it was rolled back, or this request is an old one`
            : undefined;
        return { status: 409, body: `${known.size}\n`, type: SIZE_TYPE, ...(says !== undefined && { says }) };
      }
      if (tree.size === known.size && !sameBytes(tree.root, known.root))
        return {
          ...refusal(409, `${known.size}`),
          type: SIZE_TYPE,
          says: `${origin} has signed two logs of ${tree.size} leaves: ${base64(known.root)} and ${base64(tree.root)}`,
        };
      if (!isConsistent(known, tree, proof)) {
        const problem = `the ${tree.size} leaves do not begin with the ${known.size} that were cosigned, or the proof is wrong`;
        return {
          ...refusal(422, problem),
          says: `${origin}: ${problem}; its checkpoint: ${JSON.stringify(checkpoint)}`,
        };
      }
      this.#store.store(origin, tree, checkpoint);
      const signature = await signText(note.text, this.#signer, this.#now());
      return { status: 200, body: formatSignature(signature), type: 'text/plain; charset=utf-8' };
    } catch (error) {
      if (error instanceof Malformed) return refusal(400, error.message);
      return { ...refusal(500, 'the witness cannot store its state'), says: `${origin}: ${(error as Error).message}` };
    }
  }
}

const refusal = (status: number, text: string): WitnessAnswer => ({ status, body: `${text}\n`, type: 'text/plain' });
