import type { Published } from '../log/log-reader.ts';
import { Malformed, sameBytes } from '../log/malformed.ts';
import { hashesAt, type ReadTile, readTilePath, TILE_WIDTH } from '../log/tiles.ts';

/** What the folder of a log has. Everything else in it is named: a reader could take it for a part of the log. The owner of the
 * folder reads `private`, and no one else. */
const KNOWN = ['checkpoint', 'tile', 'keys', 'witness', 'private', 'status.json', 'lost+found'];

/** Folders of tiles are at most so deep. */
const MAX_DEPTH = 6;

/** Maximum number of files of witnesses. The gateway can write there. */
const MAX_WITNESSES = 1000;

/** A file that the sealer is writing has this end. */
const isBeingWritten = (name: string): boolean => name.endsWith('.new');

/** Yields the files of a log that no checkpoint covers, with what is wrong with each of them.
 * @param steps the number of changes of the key */
export function* strangeFiles(
  files: Published,
  { size, steps, read }: { readonly size: number; readonly steps: number; readonly read: ReadTile },
): Generator<{ readonly file: string; readonly problem: string }> {
  const names = (folder: string) => files.names(folder).filter((name) => !isBeingWritten(name));
  for (const file of names('')) if (!KNOWN.includes(file)) yield { file, problem: 'it is no file of a log' };
  for (const name of names('keys')) {
    const isKey = name === 'first' || (/^(?:0|[1-9]\d*)$/.test(name) && Number(name) < steps);
    if (!isKey && isThere(files, `keys/${name}`))
      yield { file: `keys/${name}`, problem: 'no key of the log leads to it' };
  }
  if (names('witness').length > MAX_WITNESSES)
    yield { file: 'witness', problem: `it has more than ${MAX_WITNESSES} files` };
  yield* below('tile', 0);

  function* below(folder: string, depth: number): Generator<{ readonly file: string; readonly problem: string }> {
    for (const name of names(folder)) {
      const file = `${folder}/${name}`;
      const isFolder = depth === 0 ? /^(?:entries|\d|[1-9]\d)$/.test(name) : /^(?:x\d{3}|\d{3}\.p)$/.test(name);
      if (isFolder && depth < MAX_DEPTH) {
        yield* below(file, depth + 1);
        continue;
      }
      const problem = problemOf(file);
      if (problem !== undefined) yield { file, problem };
    }
  }

  /** Returns what is wrong with a file of tiles. Those after the right edge are being written. */
  function problemOf(path: string): string | undefined {
    const tile = readTilePath(path);
    if (tile === undefined) return 'it is no file of a log';
    const count = hashesAt(tile.level, size) - tile.index * TILE_WIDTH;
    const width = Math.min(TILE_WIDTH, count);
    if (tile.width >= width) return undefined;
    try {
      const own = files.read(path);
      const entire = read({ ...tile, width });
      return own === undefined || sameBytes(own, entire.subarray(0, own.length)) ? undefined : 'it was altered';
    } catch (error) {
      if (error instanceof Malformed) return error.message;
      throw error;
    }
  }
}

function isThere(files: Published, name: string): boolean {
  try {
    return files.read(name) !== undefined;
  } catch {
    return true;
  }
}
