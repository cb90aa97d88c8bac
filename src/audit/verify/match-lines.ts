import { HASH_BYTES } from '../log/merkle.ts';

/** Stands for a line that was never sealed. */
export const UNKNOWN = -1;

/** Maximum number of entries with equal bytes that are tried for one line. */
const MAX_EQUAL = 64;

/** The hashes of all entries of a log in their order. */
export class SealedHashes {
  readonly size: number;
  readonly #bytes: Uint8Array;
  /** One byte for each entry: whether it stands for a line. */
  readonly #isLine: Uint8Array;
  /** The last entry with a hash, by the beginning of the hash; and for each entry the one before with the same
   * beginning. Made when a line is not where it is expected. A Map would be full at 2^24 entries. */
  #last: Int32Array | undefined;
  #before = new Int32Array(0);

  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(size * HASH_BYTES);
    this.#isLine = new Uint8Array(size);
  }

  set(index: number, hash: Uint8Array, isLine: boolean): void {
    this.#bytes.set(hash, index * HASH_BYTES);
    this.#isLine[index] = isLine ? 1 : 0;
  }

  /** Returns hashes one after the other. */
  part(from: number, count: number): Uint8Array {
    return this.#bytes.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES);
  }

  isLine(index: number): boolean {
    return this.#isLine[index] === 1;
  }

  /** Returns the index of the next entry that stands for a line, from this index on; {@link size} after the last one. */
  nextLine(index: number): number {
    let next = index;
    while (next < this.size && this.#isLine[next] !== 1) next++;
    return next;
  }

  /** Returns the index of the last entry that stands for a line; {@link UNKNOWN} in a log without lines. */
  lastLine(): number {
    return this.#isLine.lastIndexOf(1);
  }

  has(index: number, hash: Uint8Array): boolean {
    for (let at = 0, from = index * HASH_BYTES; at < HASH_BYTES; at++)
      if (this.#bytes[from + at] !== hash[at]) return false;
    return true;
  }

  /** Returns the entry with this hash: the expected one or the next one after it, otherwise the first; {@link UNKNOWN}
   * if no entry has it. */
  find(hash: Uint8Array, expected: number): number {
    if (expected < this.size && this.#isLine[expected] === 1 && this.has(expected, hash)) return expected;
    let [after, first, tried] = [UNKNOWN, UNKNOWN, 0];
    const last = this.#index();
    let index = last[beginning(hash, 0) % last.length] as number;
    for (; index !== UNKNOWN && tried < MAX_EQUAL; index = this.#before[index] as number) {
      if (!this.has(index, hash)) continue;
      tried++;
      first = index;
      if (index >= expected) after = index;
    }
    return after === UNKNOWN ? first : after;
  }

  #index(): Int32Array {
    if (this.#last !== undefined) return this.#last;
    const last = new Int32Array(Math.max(1, this.size)).fill(UNKNOWN);
    this.#before = new Int32Array(this.size).fill(UNKNOWN);
    for (let index = 0; index < this.size; index++) {
      if (this.#isLine[index] !== 1) continue;
      const key = beginning(this.#bytes, index * HASH_BYTES) % last.length;
      this.#before[index] = last[key] as number;
      last[key] = index;
    }
    this.#last = last;
    return last;
  }
}

/** Returns the first six bytes of a hash as a number. */
const beginning = (bytes: Uint8Array, at: number): number => {
  let value = 0;
  for (let index = at; index < at + 6; index++) value = value * 256 + (bytes[index] as number);
  return value;
};

/** A growing list of the entries that lines were found at. */
export class Positions {
  #values = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }

  /** Returns for each line whether it is one of the most lines that are in the order of their entries. */
  inOrder(): Uint8Array {
    const chosen = new Uint8Array(this.length);
    let [highest, isAscending] = [UNKNOWN, true];
    for (let at = 0; at < this.length && isAscending; at++) {
      const value = this.at(at);
      if (value === UNKNOWN) continue;
      isAscending = value > highest;
      highest = value;
      chosen[at] = 1;
    }
    return isAscending ? chosen : longestAscending(this.length, (at) => this.at(at));
  }
}

/** Returns for each value whether it belongs to a longest ascending sequence. It is found by patience sorting: `ends` has,
 * for each length, the place of the smallest value with which a sequence of this length ends. */
export function longestAscending(length: number, valueAt: (index: number) => number): Uint8Array {
  const ends = new Int32Array(length);
  const before = new Int32Array(length);
  let count = 0;
  for (let at = 0; at < length; at++) {
    const value = valueAt(at);
    if (value === UNKNOWN) continue;
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (valueAt(ends[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    ends[low] = at;
    before[at] = low === 0 ? UNKNOWN : (ends[low - 1] as number);
    if (low === count) count++;
  }
  const chosen = new Uint8Array(length);
  for (let at = count === 0 ? UNKNOWN : (ends[count - 1] as number); at !== UNKNOWN; at = before[at] as number)
    chosen[at] = 1;
  return chosen;
}
