import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { readSealerLeaf } from './leaf.ts';
import { Malformed } from './malformed.ts';
import { isIncluded, leafHash } from './merkle.ts';
import { parseVkey, SIGNATURE, type VerifierKey } from './note.ts';

/* The chain of a log's keys. Each key signs, before it is destroyed, a last checkpoint whose last leaf names the next
 * key. So anyone who knows the first key can find all later ones, and a later key cannot sign for the time before. */

/** A step of the chain: the last checkpoint of a key, and the leaf that names the next key. */
export interface KeyStep {
  readonly checkpoint: Uint8Array | string;
  readonly leaf: Uint8Array;
  /** The inclusion proof of the leaf, which is the last one of the checkpoint. */
  readonly proof: readonly Uint8Array[];
}

/** The keys of a log in their order, with the last checkpoint of each one except the newest. */
export interface KeyChain {
  readonly keys: readonly VerifierKey[];
  readonly last: readonly OpenedCheckpoint[];
}

export const chainOf = (first: VerifierKey): KeyChain => ({ keys: [first], last: [] });

/** Reads the leaf that names the key of a number.
 * @throws Malformed */
function keyIn(leaf: Uint8Array, number: number, origin: string): VerifierKey {
  const read = readSealerLeaf(leaf);
  if (read?.kind !== 'key' || read.number !== number)
    throw new Malformed(`the last leaf of the checkpoint does not name key ${number}`);
  const key = parseVkey(read.key);
  if (key.name !== origin || key.type !== SIGNATURE) throw new Malformed(`the leaf names a key of ${key.name}`);
  return key;
}

/** Adds the next key to a chain.
 * @throws Malformed */
export async function follow({ keys, last }: KeyChain, step: KeyStep): Promise<KeyChain> {
  const newest = keys[keys.length - 1] as VerifierKey;
  const checkpoint = await openCheckpoint(step.checkpoint, [newest]);
  const before = last[last.length - 1]?.size ?? 0;
  if (checkpoint.size <= before) throw new Malformed('the checkpoint is older than that of the key before');
  if (!isIncluded(checkpoint.size - 1, leafHash(step.leaf), checkpoint, step.proof))
    throw new Malformed('the leaf is not the last one of the checkpoint');
  return { keys: [...keys, keyIn(step.leaf, keys.length, newest.name)], last: [...last, checkpoint] };
}

/** Returns the keys that may sign a checkpoint of this size. At the size at which keys change, both may. */
export function keysFor({ keys, last }: KeyChain, size: number): readonly VerifierKey[] {
  return keys.filter((_, number) => {
    const [from, to] = [last[number - 1]?.size ?? 0, last[number]?.size ?? Number.POSITIVE_INFINITY];
    return from <= size && size <= to;
  });
}
