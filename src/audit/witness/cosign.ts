import { parseAnyRoot } from '../log/checkpoint.ts';
import { base64, Malformed, sameBytes } from '../log/malformed.ts';
import { EMPTY_ROOT, isConsistent, type Tree } from '../log/merkle.ts';
import {
  formatNote,
  formatSignature,
  parseNote,
  type Signer,
  signText,
  type VerifierKey,
  verifyNote,
} from '../log/note.ts';
import { ADD_CHECKPOINT, parseRequest, SIZE_TYPE } from './add-checkpoint.ts';

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

interface WitnessAnswer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  /** A problem with a log, for the operator of the witness. */
  readonly says?: Reported;
}

/** What a witness prints. Anyone can send an old checkpoint again, so the text has a limit, and the caller prints a problem
 * that lasts once in a while. */
interface Reported {
  /** The log and the kind of the problem: the same for each such request. */
  readonly about: string;
  readonly text: string;
}

/** Maximum numbers of characters of a checkpoint and of an origin, and of keys, in a text. */
const MAX_EVIDENCE = 2000;
const MAX_NAMED = 300;
const MAX_IDS = 8;

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
      const tree = parseAnyRoot(note.text);
      origin = tree.origin;
      const keys = this.#logs.filter(({ name }) => name === origin);
      if (keys.length === 0)
        return refusal(
          404,
          `this witness does not know the log ${origin.slice(0, MAX_NAMED)}: start it with --log and the newest key of the log`,
        );
      const signed = await verifyNote(note, keys, this.#now()).catch(() => []);
      if (signed.length === 0) {
        const ids = (all: readonly { readonly name: string; readonly id: string }[]) =>
          all
            .flatMap(({ name, id }) => (name === origin ? [id] : []))
            .slice(0, MAX_IDS)
            .join(' or ');
        return refusal(
          403,
          `the key ${ids(note.signatures)} of ${origin} has signed it, and this witness knows ${ids(keys)}: start it with --log and the newest key of the log`,
        );
      }
      if (old > tree.size) return refusal(400, `the old size ${old} is greater than ${tree.size}`);
      const known = this.#store.load(origin) ?? { size: 0, root: EMPTY_ROOT };
      if (old !== known.size) {
        const text = `${origin} has sent ${tree.size} leaves after ${known.size}: it was rolled back, or this request is an old one`;
        const says = { about: `${origin} rollback`, text };
        return { status: 409, body: `${known.size}\n`, type: SIZE_TYPE, ...(tree.size < known.size && { says }) };
      }
      if (tree.size === known.size && !sameBytes(tree.root, known.root)) {
        const text = `${origin} has signed two logs of ${tree.size} leaves: ${base64(known.root)} and ${base64(tree.root)}`;
        return {
          ...refusal(422, `another log of ${tree.size} leaves was cosigned`),
          says: { about: `${origin} fork`, text },
        };
      }
      if (!isConsistent(known, tree, proof)) {
        const problem = `the ${tree.size} leaves do not begin with the ${known.size} that were cosigned, or the proof is wrong`;
        // Anyone can add signatures of other keys, and extension lines only with the key of the log.
        const own = note.signatures.find(({ name, id }) =>
          signed.some(({ key }) => key.name === name && key.id === id),
        );
        const evidence = formatNote({ text: note.text, signatures: own === undefined ? [] : [own] });
        return {
          ...refusal(422, problem),
          says: {
            about: `${origin} proof`,
            text: `${origin}: ${problem}; its checkpoint: ${JSON.stringify(evidence.slice(0, MAX_EVIDENCE))}`,
          },
        };
      }
      const now = this.#now();
      if (!(now >= 1)) throw new Error('the clock has no time');
      this.#store.store(origin, tree, checkpoint);
      const signature = await signText(note.text, this.#signer, now);
      return { status: 200, body: formatSignature(signature), type: 'text/plain; charset=utf-8' };
    } catch (error) {
      if (error instanceof Malformed) return refusal(400, error.message);
      const says = { about: `${origin} state`, text: `${origin}: ${(error as Error).message}` };
      return { ...refusal(500, 'the witness cannot store its state'), says };
    }
  }
}

const refusal = (status: number, text: string): WitnessAnswer => ({ status, body: `${text}\n`, type: 'text/plain' });
