import hash from 'crypto';
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
export const BEFORE_BYTES = 4096;

/** The size of a read. It grows for a longer line. */
const READ_BYTES = 1024 * 1024;

/** A longer line is sealed in pieces of this size. nginx's lines are never so long. */
const LONGEST = 64 * READ_BYTES;

const LF = 10;

/** The buffer that all files share: a read does not outlive the call that made it. */
let shared = new Uint8Array(BEFORE_BYTES + READ_BYTES);

export const digestOf = (bytes: Uint8Array): string =>
  hash
    .createHash('sha256')
    .update(bytes as Buffer)
    .digest('base64');

/** Returns the bytes of a file before a position, at most {@link BEFORE_BYTES}; fewer if the file is shorter. */
export function bytesBefore(disk: Disk, fd: number, at: number): Uint8Array {
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

/** Lines that were read, in the shared buffer. They are valid until the next read. */
export interface Lines {
  /** Calls the function with each line, without its line break. Without this call, the next read returns the lines again. */
  forEach(take: (line: Uint8Array) => void): void;
}

/** One file that nginx writes, or has written before a rotation. */
export class Generation {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly dev: number;
  readonly ino: number;
  #at: number;
  #before: Uint8Array;
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

  /** Reads the next lines; `truncated` if the file has no longer what was read of it; undefined if there are no whole
   * lines.
   * @param whole also takes a last line without a line break */
  read(whole = false): Lines | 'truncated' | undefined {
    const { size, mtimeMs } = this.stat();
    this.size = size;
    if (size < this.#at) return 'truncated';
    const kept = this.#before.length;
    for (;;) {
      const length = this.#disk.read(this.#fd, shared, shared.length, this.#at - kept);
      if (length < kept || !isEqual(shared, this.#before)) return 'truncated';
      // For -1, lastIndexOf would begin at the end of the buffer.
      const last = length > kept ? shared.lastIndexOf(LF, length - 1) : -1;
      if (last >= kept) return this.#lines(kept, last + 1);
      if (length < shared.length) {
        if (whole && length > kept) return this.#lines(kept, length);
        this.#seen = `${size} ${mtimeMs}`;
        return undefined;
      }
      if (shared.length > LONGEST) return this.#lines(kept, length);
      shared = new Uint8Array(2 * shared.length);
    }
  }

  #lines(start: number, end: number): Lines {
    const bytes = shared;
    return {
      forEach: (take) => {
        this.#at += end - start;
        this.#before = bytes.slice(Math.max(0, end - BEFORE_BYTES), end);
        for (let at = start; at < end; ) {
          const next = bytes.indexOf(LF, at);
          const stop = next < 0 || next >= end ? end : next;
          take(bytes.subarray(at, stop));
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
