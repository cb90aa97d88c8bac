import crypto from 'crypto';
import { sameBytes } from './malformed.ts';

/* The Merkle tree of RFC 6962 section 2.1, which RFC 9162 section 2.1 repeats, with SHA-256. Numbers exceed 32 bits, so
 * the code divides instead of shifting. */

export const HASH_BYTES = 32;

const leafBeginning = crypto.createHash('sha256').update(Buffer.from([0]));
const nodeBeginning = crypto.createHash('sha256').update(Buffer.from([1]));

/** The hash of the empty tree. */
export const EMPTY_ROOT: Uint8Array = crypto.createHash('sha256').digest();

/** Returns the hash of a leaf: SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Uint8Array => leafBeginning.copy().update(entry).digest();

/** Returns the hash of a node: SHA-256(0x01 ‖ left ‖ right).
 * @param children the two hashes, one after the other */
export const nodeHashOf = (children: Uint8Array): Uint8Array => nodeBeginning.copy().update(children).digest();

/** Returns the hash of a node. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  nodeBeginning.copy().update(left).update(right).digest();

/** Returns the hash of a complete subtree: that of the leaves from `index * 2^level` to `(index + 1) * 2^level`. */
export type Nodes = (level: number, index: number) => Uint8Array;

/** Returns the exponent if the number is a power of two. */
function exponentOf(size: number): number | undefined {
  let level = 0;
  for (; size % 2 === 0; size /= 2) level++;
  return size === 1 ? level : undefined;
}

/** Returns the largest power of two that is less than the number. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Returns MTH(D[from:to]). In a tree, `from` is a multiple of the smallest power of two that is at least `to - from`. */
function rangeHash(from: number, to: number, nodes: Nodes): Uint8Array {
  const level = exponentOf(to - from);
  if (level !== undefined) return nodes(level, from / (to - from));
  const middle = from + splitOf(to - from);
  return nodeHash(rangeHash(from, middle, nodes), rangeHash(middle, to, nodes));
}

/** Returns the root of the tree of the first leaves: MTH(D[0:size]). */
export const rootOf = (size: number, nodes: Nodes): Uint8Array => (size === 0 ? EMPTY_ROOT : rangeHash(0, size, nodes));

/** Returns PATH(index, D[0:size]) of RFC 6962 section 2.1.1, from the sibling of the leaf to the child of the root. */
export function inclusionProof(index: number, size: number, nodes: Nodes): readonly Uint8Array[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
  const proof: Uint8Array[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + splitOf(to - from);
    const right = index >= middle;
    proof.push(right ? rangeHash(from, middle, nodes) : rangeHash(middle, to, nodes));
    if (right) from = middle;
    else to = middle;
  }
  return proof.reverse();
}

/** Returns PROOF(older, D[0:newer]) of RFC 6962 section 2.1.2. It is empty if one of the trees is empty, or both are
 * the same. */
export function consistencyProof(older: number, newer: number, nodes: Nodes): readonly Uint8Array[] {
  if (!(older >= 0 && older <= newer)) throw new RangeError(`a tree of ${newer} leaves has not had ${older} leaves`);
  if (older === 0) return [];
  const proof: Uint8Array[] = [];
  let [from, to] = [0, newer];
  while (to !== older) {
    const middle = from + splitOf(to - from);
    const right = older > middle;
    proof.push(right ? rangeHash(from, middle, nodes) : rangeHash(middle, to, nodes));
    if (right) from = middle;
    else to = middle;
  }
  // The verifier knows the older root, and so this subtree if it is the whole older tree.
  if (from > 0) proof.push(rangeHash(from, to, nodes));
  return proof.reverse();
}

/** Returns the root of a tree that an inclusion proof leads to (RFC 9162 section 2.1.3.2); undefined if the proof does
 * not have the length for this index and size. */
function rootByInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!(index >= 0 && index < size)) return undefined;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // The leaf is at the right edge of an incomplete subtree, so it has no sibling on these levels.
      for (; node % 2 === 0 && node > 0; node /= 2) last = Math.floor(last / 2);
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}

/** A tree as a checkpoint describes it. */
export interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether a tree contains the leaf at the index (RFC 9162 section 2.1.3.2). */
export function isIncluded(index: number, leaf: Uint8Array, tree: Tree, proof: readonly Uint8Array[]): boolean {
  const root = rootByInclusion(index, tree.size, leaf, proof);
  return root !== undefined && sameBytes(root, tree.root);
}

/** Whether the newer tree begins with all leaves of the older one (RFC 9162 section 2.1.4.2). */
export function isConsistent(older: Tree, newer: Tree, proof: readonly Uint8Array[]): boolean {
  if (older.size > newer.size) return false;
  if (older.size === 0) return proof.length === 0 && sameBytes(older.root, EMPTY_ROOT);
  if (older.size === newer.size) return proof.length === 0 && sameBytes(older.root, newer.root);
  const [first, ...rest] = exponentOf(older.size) === undefined ? proof : [older.root, ...proof];
  if (first === undefined) return false;
  let [node, last, oldRoot, newRoot] = [older.size - 1, newer.size - 1, first, first];
  for (; node % 2 === 1; node = Math.floor(node / 2)) last = Math.floor(last / 2);
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldRoot = nodeHash(hash, oldRoot);
      newRoot = nodeHash(hash, newRoot);
      for (; node % 2 === 0 && node > 0; node /= 2) last = Math.floor(last / 2);
    } else {
      newRoot = nodeHash(newRoot, hash);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && sameBytes(oldRoot, older.root) && sameBytes(newRoot, newer.root);
}
