import fs from 'fs';

/** The parts of Node that njs does not have. */
interface Gunzip extends AsyncIterable<Uint8Array> {
  destroy(error: Error): void;
}
interface Zlib {
  createGunzip(): Gunzip;
}
interface Reading {
  on(event: 'error', listener: (error: Error) => void): void;
  pipe(to: Gunzip): Gunzip;
}

const CHUNK_BYTES = 1 << 18;

const builtin = <T>(name: string): T | undefined =>
  (process as unknown as { getBuiltinModule?: (name: string) => T }).getBuiltinModule?.(name);

/** Reads a stream to its end, because njs can read only regular files as a whole. The buffer doubles in size, so that a
 * large file is not copied often. */
function readStream(fd: number): Uint8Array {
  let room = new Uint8Array(65536);
  let length = 0;
  for (;;) {
    const count = fs.readSync(fd, room as unknown as Buffer, length, room.length - length, null);
    if (count === 0) return room.slice(0, length);
    length += count;
    if (length < room.length) continue;
    const larger = new Uint8Array(2 * room.length);
    larger.set(room);
    room = larger;
  }
}

/** Opens a file that the user named. A pipe has to be one of this process, as a shell makes it for `<(…)`: to open another one
 * would wait for its writer, and anyone who can write to the folder of the log can make one.
 * @throws Error with the system's code; `ENOTREG` for another kind of file */
function openInput(path: string): number {
  if (!/^\/(?:dev|proc)\//.test(path) && !fs.statSync(path).isFile() && !fs.statSync(path).isDirectory())
    throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENOTREG' });
  return fs.openSync(path, 'r');
}

/** Reads the bytes of a file; `-` is standard input. */
export function readAll(path: string): Uint8Array {
  if (path === '-') return readStream(0);
  const fd = fs.openSync(path, 'r');
  try {
    return readStream(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Reads a file in chunks; `-` is standard input. On Node, a file whose name ends in `.gz` is decompressed.
 * @throws Error with the system's code; `ENOZIP` if this engine cannot decompress */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const fd = path === '-' ? 0 : openInput(path);
  try {
    if (path.endsWith('.gz')) yield* unzipped(fd);
    else yield* chunksOf((room) => readSome(fd, room));
  } finally {
    if (fd !== 0) fs.closeSync(fd);
  }
}

async function* unzipped(fd: number): AsyncGenerator<Uint8Array> {
  const zlib = builtin<Zlib>('zlib');
  if (zlib === undefined) throw Object.assign(new Error('this engine cannot decompress'), { code: 'ENOZIP' });
  const { createReadStream } = fs as unknown as {
    createReadStream: (path: string, options: { fd: number; start: number; autoClose: boolean }) => Reading;
  };
  const [from, unzip] = [createReadStream('', { fd, start: 0, autoClose: false }), zlib.createGunzip()];
  from.on('error', (error) => unzip.destroy(error));
  yield* from.pipe(unzip);
}

function* chunksOf(read: (room: Uint8Array) => number): Generator<Uint8Array> {
  for (;;) {
    const room = new Uint8Array(CHUNK_BYTES);
    const count = read(room);
    if (count === 0) return;
    yield room.subarray(0, count);
  }
}

/** A file as it was when it was opened. */
export interface HeldFile {
  /** Reads its bytes from the beginning, as {@link readChunks} does.
   * @throws Error with the code `ESHORTER` if it was truncated since then */
  chunks(): AsyncIterable<Uint8Array>;
  /** Absent for standard input. */
  readonly inode?: {
    /** The same for two names of one file. */
    readonly id: string;
    /** When it was last written or renamed, in seconds since the epoch. */
    readonly changed: number;
  };
}

/** Opens a file that may be renamed and may grow: what is read is the same file, with the size that it has now. Standard
 * input and a pipe are read once, to their ends. The file stays open until the process ends.
 * @throws Error with the system's code */
export function holdFile(path: string): HeldFile {
  if (path === '-') return { chunks: () => readChunks(path) };
  const fd = openInput(path);
  const stat = fs.fstatSync(fd);
  const inode = { id: `${stat.dev} ${stat.ino}`, changed: stat.ctimeMs / 1000 };
  if (path.endsWith('.gz')) return { inode, chunks: () => unzipped(fd) };
  if (!stat.isFile())
    return {
      inode,
      chunks: async function* () {
        yield* chunksOf((room) => readSome(fd, room));
      },
    };
  return {
    inode,
    async *chunks() {
      let at = 0;
      for (const chunk of chunksOf((room) =>
        fs.readSync(fd, room as unknown as Buffer, 0, Math.min(room.length, stat.size - at), at),
      )) {
        at += chunk.length;
        yield chunk;
      }
      if (at < stat.size) throw Object.assign(new Error('it was truncated'), { code: 'ESHORTER' });
    },
  };
}

/** Reads from a descriptor. On Node, an empty pipe is read again. */
function readSome(fd: number, room: Uint8Array): number {
  for (;;) {
    try {
      return fs.readSync(fd, room as unknown as Buffer, 0, room.length, null);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
    }
  }
}

/** The time between two looks at a file that grows, in ms. */
const LOOK_MS = 200;

/** How often a file that was rotated is looked at after writers have begun the new one: until it did not grow for so many
 * looks, and at most so often. nginx writes to the old file until it is told to reopen its log, each worker by itself. */
const QUIET_LOOKS = 5;
const LATE_LOOKS = 50;

/** Returns the size and the identity of a file; undefined if it does not exist. */
function seen(path: string): { readonly size: number; readonly ino: number } | undefined {
  try {
    return fs.statSync(path);
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads what is appended to a file, without an end. After a rotation, by renaming or by truncating, it reads
 * the new file from its beginning: each file is one of the parts.
 * @param wait waits for a number of ms */
export async function* followParts(
  path: string,
  wait: (ms: number) => Promise<void>,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for (let isFirst = true; ; isFirst = false) {
    while (seen(path) === undefined) await wait(LOOK_MS);
    const fd = fs.openSync(path, 'r');
    try {
      yield appended(path, fd, isFirst ? fs.fstatSync(fd).size : 0, wait);
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Reads an open file from a position until writers write to another file of its name, or until it was truncated. */
async function* appended(
  path: string,
  fd: number,
  from: number,
  wait: (ms: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const { ino } = fs.fstatSync(fd);
  let at = from;
  for (let [quiet, late] = [0, 0]; ; ) {
    const room = new Uint8Array(CHUNK_BYTES);
    const count = fs.readSync(fd, room as unknown as Buffer, 0, room.length, at);
    at += count;
    if (count > 0) {
      yield room.subarray(0, count);
      quiet = 0;
      if (late < LATE_LOOKS) continue;
    }
    const now = seen(path);
    if (now?.ino === ino && now.size < at) return;
    if (now !== undefined && now.ino !== ino && now.size > 0) {
      if (quiet >= QUIET_LOOKS || late >= LATE_LOOKS) return;
      quiet += 1;
      late += 1;
    }
    await wait(LOOK_MS);
  }
}
