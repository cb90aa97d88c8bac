import { Malformed } from './malformed.ts';
import { type ReadTile, TILE_WIDTH, type Tile, tilePath } from './tiles.ts';

/** The files of a log as a reader sees them. Names are relative to its folder. */
export interface Published {
  /** Returns the bytes of a file; undefined if it does not exist. */
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
    const bytes = read(path) ?? read(tilePath({ ...tile, width: TILE_WIDTH }));
    if (bytes === undefined) throw new Malformed('it is missing');
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(path, bytes);
    return bytes;
  };
}

/** Reads a text file of a log.
 * @throws Malformed if it does not exist */
export function readNote(files: Pick<Published, 'read'>, name: string): Uint8Array {
  const bytes = files.read(name);
  if (bytes === undefined) throw new Malformed(`${name} is missing`);
  return bytes;
}

/** Maximum number of times that the keys are read, while they change. */
const MAX_READS = 5;

/** Returns the files of a log as they are now. The sealer may go on: checkpoint, keys and cosignatures stay as they are at
 * one moment, and tiles and bundles only grow. */
export function snapshotOf(files: Published): Published {
  // A cosignature is read before the checkpoint, so that it is not of a newer one.
  const fixed = new Map(files.names('witness').map((name) => [`witness/${name}`, files.read(`witness/${name}`)]));
  const keysOf = () => files.names('keys').map((name) => `keys/${name}`);
  let keys = keysOf();
  for (let reads = 0; reads < MAX_READS; reads++) {
    for (const name of keys) fixed.set(name, files.read(name));
    fixed.set('checkpoint', files.read('checkpoint'));
    const now = keysOf();
    if (now.length === keys.length) break;
    keys = now;
  }
  const isFixed = (name: string): boolean => name === 'checkpoint' || /^(keys|witness)\//.test(name);
  const witnesses = [...fixed.keys()].filter((name) => name.startsWith('witness/'));
  return {
    read: (name) => (isFixed(name) ? fixed.get(name) : files.read(name)),
    names: (folder) =>
      folder === 'witness' ? witnesses.map((name) => name.slice('witness/'.length)) : files.names(folder),
  };
}
