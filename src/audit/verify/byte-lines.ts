import { LongLine, leafOf } from '../log/leaf.ts';
import { MAX_ENTRY_BYTES } from '../log/tiles.ts';

const LF = 0x0a;

/** A line of a file. Its bytes may change after the next one is read. */
export interface ByteLine {
  /** The bytes without the line break; of a line that is too long for an entry, its beginning. */
  readonly bytes: Uint8Array;
  /** What is sealed for the line. */
  readonly entry: Uint8Array;
}

const lineOf = (bytes: Uint8Array): ByteLine => ({ bytes: bytes.subarray(0, MAX_ENTRY_BYTES), entry: leafOf(bytes) });

/** A line whose beginning was read. */
class Begun {
  #bytes: Uint8Array;
  #long: LongLine | undefined;

  constructor(beginning: Uint8Array) {
    this.#bytes = beginning.slice();
  }

  add(piece: Uint8Array): void {
    if (this.#long === undefined) this.#bytes = Buffer.concat([this.#bytes, piece]);
    else this.#long.add(piece);
    if (this.#long !== undefined || this.#bytes.length <= MAX_ENTRY_BYTES) return;
    this.#long = new LongLine();
    this.#long.add(this.#bytes);
    this.#bytes = this.#bytes.slice(0, MAX_ENTRY_BYTES);
  }

  end(): ByteLine {
    return this.#long === undefined ? lineOf(this.#bytes) : { bytes: this.#bytes, entry: this.#long.entry() };
  }
}

/** Yields the lines of a file, without their line breaks. Memory is limited to one chunk and the beginning of a line.
 * @param unfinished is called before the last line if it has no line break */
export async function* byteLines(chunks: AsyncIterable<Uint8Array>, unfinished?: () => void): AsyncGenerator<ByteLine> {
  let begun: Begun | undefined;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const piece = chunk.subarray(start, end);
      begun?.add(piece);
      yield begun?.end() ?? lineOf(piece);
      begun = undefined;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    if (begun === undefined) begun = new Begun(chunk.subarray(start));
    else begun.add(chunk.subarray(start));
  }
  if (begun === undefined) return;
  unfinished?.();
  yield begun.end();
}
