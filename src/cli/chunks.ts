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

/** Reads a file in chunks; `-` is standard input. On Node, a file whose name ends in `.gz` is decompressed.
 * @throws Error with the system's code; `ENOZIP` if this engine cannot decompress */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  if (path.endsWith('.gz')) {
    const zlib = builtin<Zlib>('zlib');
    if (zlib === undefined) throw Object.assign(new Error('this engine cannot decompress'), { code: 'ENOZIP' });
    const { createReadStream } = fs as unknown as { createReadStream: (path: string) => Reading };
    const [from, unzip] = [createReadStream(path), zlib.createGunzip()];
    from.on('error', (error) => unzip.destroy(error));
    yield* from.pipe(unzip);
    return;
  }
  const fd = path === '-' ? 0 : fs.openSync(path, 'r');
  try {
    for (;;) {
      const room = new Uint8Array(CHUNK_BYTES);
      const count = readSome(fd, room);
      if (count === 0) return;
      yield room.subarray(0, count);
    }
  } finally {
    if (fd !== 0) fs.closeSync(fd);
  }
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
