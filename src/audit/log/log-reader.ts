import { Malformed } from './malformed.ts';
import { HASH_BYTES } from './merkle.ts';
import { entriesOf, type ReadTile, TILE_WIDTH, type Tile, tilePath } from './tiles.ts';

/** The files of a log as a reader sees them. Names are relative to its folder. */
export interface Published {
  /** Returns the bytes of a file; undefined if it does not exist.
   * @throws Malformed if it is no regular file, or larger than a file of a log can be */
  read(name: string): Uint8Array | undefined;
  /** Returns the names in a folder, sorted. */
  names(folder: string): readonly string[];
}

/** Number of tiles and bundles that are kept in memory: those of a path through the tree, and some more. */
const KEPT = 64;

/** Returns a function that reads the tiles and bundles of a log. Where a partial one is asked for, the log may have the
 * full one instead. The function throws {@link Malformed} if neither exists. */
export function tileReader({ read }: Pick<Published, 'read'>): ReadTile {
  const kept = new Map<string, Uint8Array>();
  return (tile: Tile) => {
    const path = tilePath(tile);
    const known = kept.get(path);
    if (known !== undefined) return known;
    const own = read(path);
    const bytes = own ?? read(tilePath({ ...tile, width: TILE_WIDTH }));
    if (bytes === undefined) throw new Malformed('it is missing');
    checkWidth(bytes, { ...tile, width: own === undefined ? TILE_WIDTH : tile.width });
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(path, bytes);
    return bytes;
  };
}

/** Checks that a tile or bundle has exactly what its path says.
 * @throws Malformed */
function checkWidth(bytes: Uint8Array, { level, width }: Tile): void {
  const count = level === 'entries' ? entriesOf(bytes, width, true).length : bytes.length / HASH_BYTES;
  if (count !== width)
    throw new Malformed(`it has ${bytes.length} bytes, and not ${width} hashes of ${HASH_BYTES} bytes`);
}

/** Reads a text file of a log.
 * @throws Malformed if it does not exist */
export function readNote(files: Pick<Published, 'read'>, name: string): Uint8Array {
  const bytes = files.read(name);
  if (bytes === undefined) throw new Malformed(`${name} is missing`);
  return bytes;
}

/** Returns a function with the result of reading a file now: its bytes, or what is wrong with it. */
function held({ read }: Pick<Published, 'read'>, name: string): () => Uint8Array | undefined {
  try {
    const bytes = read(name);
    return () => bytes;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return () => {
      throw error;
    };
  }
}

/** Maximum number of times that the keys are read, while they change. */
const MAX_READS = 5;

/** Returns the files of a log as they are now. The sealer may go on: checkpoint, keys and cosignatures stay as they are at
 * one moment, and tiles and bundles only grow. */
export function snapshotOf(files: Published): Published {
  // A cosignature is read before the checkpoint, so that it is not of a newer one.
  const fixed = new Map(files.names('witness').map((name) => [`witness/${name}`, held(files, `witness/${name}`)]));
  const keysOf = () => files.names('keys').map((name) => `keys/${name}`);
  let keys = keysOf();
  for (let reads = 0; reads < MAX_READS; reads++) {
    for (const name of keys) fixed.set(name, held(files, name));
    fixed.set('checkpoint', held(files, 'checkpoint'));
    const now = keysOf();
    if (now.length === keys.length) break;
    keys = now;
  }
  const isFixed = (name: string): boolean => name === 'checkpoint' || /^(keys|witness)\//.test(name);
  const witnesses = [...fixed.keys()].filter((name) => name.startsWith('witness/'));
  return {
    read: (name) => (isFixed(name) ? fixed.get(name)?.() : files.read(name)),
    names: (folder) =>
      folder === 'witness' ? witnesses.map((name) => name.slice('witness/'.length)) : files.names(folder),
  };
}
