import hash from 'crypto';
import { LongLine, leafOf } from '../log/leaf.ts';
import type { Disk, Stat } from './disk.ts';

/** A position in a file. The file is found again by its inode, or by the bytes before the position. */
export interface Position {
  readonly dev: number;
  readonly ino: number;
  /** Bytes of the file that are read: whole lines. */
  readonly at: number;
  /** Digest of the last bytes before the position. */
  readonly before: string;
  /** A rotated file that was read to its end, and is not open any more. */
  readonly closed?: true;
}

/** Bytes before the position that are compared at each read. They hold at least one line with its id, unless the line is
 * longer: then a file that was truncated and has grown again has other bytes there. */
const BEFORE_BYTES = 4096;

/** The size of a read. A line that is longer, which nginx never writes, is read in pieces and not kept. */
const READ_BYTES = 1024 * 1024;

/** The most reads of such a line in one look at the file, so that other files and the lock of the sealer do not wait. */
const LONG_READS = 64;

const LF = 10;

/** The buffer that all files share: a read does not outlive the call that made it. */
const shared = new Uint8Array(BEFORE_BYTES + READ_BYTES);

const digestOf = (bytes: Uint8Array): string =>
  hash
    .createHash('sha256')
    .update(bytes as Buffer)
    .digest('base64');

/** Returns the bytes of a file before a position, at most {@link BEFORE_BYTES}; fewer if the file is shorter. */
function bytesBefore(disk: Disk, fd: number, at: number): Uint8Array {
  const length = Math.min(at, BEFORE_BYTES);
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (let read = -1; read !== 0 && filled < length; filled += read)
    read = disk.read(fd, bytes.subarray(filled), length - filled, at - length + filled);
  return bytes.subarray(0, filled);
}

/** Whether the bytes before a position are those that were read. */
export const isSamePlace = (disk: Disk, fd: number, { at, before }: Position): boolean =>
  digestOf(bytesBefore(disk, fd, at)) === before;

/** Takes a line that was read: what is sealed for it, and the number of its bytes with the line break. */
export type Take = (entry: Uint8Array, bytes: number) => void;

/** Lines that were read, in the shared buffer. They are valid until the next read. */
interface Lines {
  /** Calls the function for each line. Without this call, the next read returns the lines again. */
  forEach(take: Take): void;
}

/** A line that is longer than a read, as far as it was read. */
interface Begun {
  readonly line: LongLine;
  /** The position after what was read, and the bytes before it. */
  readonly at: number;
  readonly before: Uint8Array;
}

/** One file that nginx writes, or has written before a rotation. */
export class Generation {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly dev: number;
  readonly ino: number;
  #at: number;
  #before: Uint8Array;
  #begun: Begun | undefined;
  /** Size and time of the last change when all was read. */
  #seen = '';
  /** Looks at the file since it had new lines. */
  idleLooks = 0;
  size = 0;

  constructor(disk: Disk, fd: number, at = 0) {
    this.#disk = disk;
    this.#fd = fd;
    const { dev, ino, size } = disk.statOpen(fd);
    this.dev = dev;
    this.ino = ino;
    this.size = size;
    this.#at = at;
    this.#before = bytesBefore(disk, fd, at);
  }

  get at(): number {
    return this.#at;
  }

  position(): Position {
    return { dev: this.dev, ino: this.ino, at: this.#at, before: digestOf(this.#before) };
  }

  stat(): Stat {
    return this.#disk.statOpen(this.#fd);
  }

  /** Returns whether the file may have changed since it was read to its end. */
  hasChanged(): boolean {
    const { size, mtimeMs } = this.stat();
    this.size = size;
    return `${size} ${mtimeMs}` !== this.#seen;
  }

  /** Reads the next lines; `truncated` if the file has no longer what was read of it; `unfinished` if a long line has to be
   * read on; undefined if there are no whole lines.
   * @param entire also takes a last line without a line break */
  read(entire = false): Lines | 'truncated' | 'unfinished' | undefined {
    const { size, mtimeMs } = this.stat();
    this.size = size;
    if (size < this.#at) return 'truncated';
    for (let reads = 0; reads < LONG_READS; reads++) {
      const { at, before } = this.#begun ?? { at: this.#at, before: this.#before };
      const kept = before.length;
      const length = this.#disk.read(this.#fd, shared, shared.length, at - kept);
      if (length < kept || !isEqual(shared, before)) {
        if (this.#begun === undefined) return 'truncated';
        this.#begun = undefined;
        continue;
      }
      const isEnd = length < shared.length;
      if (this.#begun !== undefined) {
        const next = length > kept ? shared.indexOf(LF, kept) : -1;
        const stop = next < 0 ? length : Math.min(next, length);
        const line = this.#read(this.#begun, kept, stop);
        if (stop < length || (isEnd && entire)) return this.#longLine(line, stop < length ? 1 : 0);
      } else {
        // For -1, lastIndexOf would begin at the end of the buffer.
        const last = length > kept ? shared.lastIndexOf(LF, length - 1) : -1;
        if (last >= kept) return this.#lines(kept, last + 1);
        if (isEnd && entire && length > kept) return this.#lines(kept, length);
        if (!isEnd) this.#read({ line: new LongLine(), at, before }, kept, length);
      }
      if (!isEnd) continue;
      this.#seen = `${size} ${mtimeMs}`;
      return undefined;
    }
    return 'unfinished';
  }

  /** Adds bytes of the buffer to a long line. */
  #read({ line, at, before }: Begun, start: number, stop: number): Begun {
    line.add(shared.subarray(start, stop));
    const bytes = stop - start < BEFORE_BYTES ? Buffer.concat([before, shared.subarray(start, stop)]) : shared;
    const end = bytes === shared ? stop : bytes.length;
    this.#begun = { line, at: at + stop - start, before: bytes.slice(Math.max(0, end - BEFORE_BYTES), end) };
    return this.#begun;
  }

  #longLine({ line, at }: Begun, lineBreak: number): Lines {
    this.#begun = undefined;
    return {
      forEach: (take) => {
        this.#at = at + lineBreak;
        this.#before = bytesBefore(this.#disk, this.#fd, this.#at);
        take(line.entry(), line.bytes + lineBreak);
      },
    };
  }

  #lines(start: number, end: number): Lines {
    return {
      forEach: (take) => {
        this.#at += end - start;
        this.#before = shared.slice(Math.max(0, end - BEFORE_BYTES), end);
        for (let at = start; at < end; ) {
          const next = shared.indexOf(LF, at);
          const stop = next < 0 || next >= end ? end : next;
          take(leafOf(shared.subarray(at, stop)), stop + 1 - at);
          at = stop + 1;
        }
      },
    };
  }

  /** Whether another file begins with the same bytes. */
  isCopiedTo(fd: number): boolean {
    const length = Math.min(this.stat().size, this.#disk.statOpen(fd).size, BEFORE_BYTES);
    const [own, other] = [this.#fd, fd].map((it) => digestOf(bytesBefore(this.#disk, it, length)));
    return length > 0 && own === other;
  }

  /** Begins again at the first byte. */
  rewind(): void {
    this.#at = 0;
    this.#before = new Uint8Array(0);
    this.#begun = undefined;
    this.#seen = '';
  }

  close(): void {
    this.#disk.close(this.#fd);
  }
}

function isEqual(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return (
    Buffer.compare(
      Buffer.from(bytes.buffer, bytes.byteOffset, beginning.length),
      Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length),
    ) === 0
  );
}
