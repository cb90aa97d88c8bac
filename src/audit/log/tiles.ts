import { Malformed } from './malformed.ts';
import { HASH_BYTES, type Nodes, nodeHashOf } from './merkle.ts';

/* The resources of a log in C2SP tlog-tiles: tiles of hashes, and bundles of entries. */

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;

/** Maximum number of bytes of an entry: a bundle has two bytes for its length. */
export const MAX_ENTRY_BYTES = 65535;

/** Levels of the tree for each level of tiles. */
const TILE_HEIGHT = 8;

/** Names a tile, or a bundle of entries. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** Number of hashes or entries, from 1 to 256. A tile of 256 is full. */
  readonly width: number;
}

/** Returns the path of a tile below the folder or URL of the log, for example `tile/0/x001/x234/067.p/5`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const groups = digits.padStart(3 * Math.ceil(digits.length / 3), '0').match(/.../g) as string[];
  const partial = width < TILE_WIDTH ? `.p/${width}` : '';
  return `tile/${level}/${groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')}${partial}`;
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*)(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Reads the path of a tile; undefined if it is not the one that {@link tilePath} returns for any tile. */
export function readTilePath(path: string): Tile | undefined {
  const [, level, above = '', last, width = TILE_WIDTH] = PATH.exec(path) ?? [];
  if (level === undefined) return undefined;
  const index = Number(above.replace(/[x/]/g, '') + last);
  const tile: Tile = { level: level === 'entries' ? level : Number(level), index, width: Number(width) };
  return Number.isSafeInteger(index) && tilePath(tile) === path ? tile : undefined;
}

/** Returns the number of hashes that all tiles of a level have together, in a tree of so many leaves. */
export function hashesAt(level: Tile['level'], size: number): number {
  return level === 'entries' ? size : Math.floor(size / TILE_WIDTH ** level);
}

/** Returns the levels of a tree's tiles from the bottom, and the entries first. */
function* levelsOf(size: number): Generator<Tile['level']> {
  if (size > 0) yield 'entries';
  for (let level = 0; hashesAt(level, size) > 0; level++) yield level;
}

/** Yields the tiles and bundles that a tree of `to` leaves has and one of `from` leaves has not, from left to right on
 * each level: the full ones, and at the end of the level the partial one. With `from` 0, these are all of the tree. */
export function* tilesOfGrowth(from: number, to: number): Generator<Tile> {
  for (const level of levelsOf(to)) {
    const [before, after] = [hashesAt(level, from), hashesAt(level, to)];
    if (before === after) continue;
    let index = Math.floor(before / TILE_WIDTH);
    for (; index < Math.floor(after / TILE_WIDTH); index++) yield { level, index, width: TILE_WIDTH };
    if (after % TILE_WIDTH > 0) yield { level, index, width: after % TILE_WIDTH };
  }
}

/** Yields the partial tiles and the partial bundle of a tree, with which its right edge can be restored. */
export function* partialTiles(size: number): Generator<Tile> {
  for (const level of levelsOf(size)) {
    const count = hashesAt(level, size);
    if (count % TILE_WIDTH > 0) yield { level, index: Math.floor(count / TILE_WIDTH), width: count % TILE_WIDTH };
  }
}

/** The hashes of a tile, while they become one hash, and the pairs of them. In QuickJS a new view of bytes takes half as
 * long as a hash. */
const rising = new Uint8Array(TILE_WIDTH * HASH_BYTES);
const pairs = Array.from({ length: TILE_WIDTH / 2 }, (_, i) =>
  rising.subarray(2 * i * HASH_BYTES, 2 * (i + 1) * HASH_BYTES),
);

/** Returns the hash of the complete subtree above some hashes of a tile.
 * @param bytes the hashes one after the other; their number is a power of two */
export function subtreeHash(bytes: Uint8Array): Uint8Array {
  if (bytes.length === HASH_BYTES) return bytes;
  rising.set(bytes);
  for (let count = bytes.length / HASH_BYTES / 2; count >= 1; count /= 2) {
    for (let i = 0; i < count; i++) rising.set(nodeHashOf(pairs[i] as Uint8Array), i * HASH_BYTES);
  }
  return rising.slice(0, HASH_BYTES);
}

/** Reads the bytes of a tile. It returns the same or another width, at least as many hashes as it is asked for. */
export type ReadTile = (tile: Tile) => Uint8Array;

/** Returns the nodes of a tree of `size` leaves, read from its tiles. */
export function nodesOf(size: number, read: ReadTile): Nodes {
  return (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const first = index * count;
    const tile = Math.floor(first / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, hashesAt(level, size) - tile * TILE_WIDTH);
    const at = (first % TILE_WIDTH) * HASH_BYTES;
    return subtreeHash(hashesOf(read({ level, index: tile, width }), width).subarray(at, at + count * HASH_BYTES));
  };
}

/** Returns the first hashes of a tile.
 * @throws Malformed if it has fewer */
export function hashesOf(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length % HASH_BYTES !== 0 || bytes.length < width * HASH_BYTES)
    throw new Malformed(`it has ${bytes.length} bytes, and not ${width} hashes of ${HASH_BYTES} bytes`);
  return bytes.subarray(0, width * HASH_BYTES);
}

/** Returns the first entries of a bundle.
 * @param exact the bundle must not have more
 * @throws Malformed if the bundle has fewer, or its lengths do not fit */
export function entriesOf(bundle: Uint8Array, width: number, exact = false): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + (bundle[at] as number) * 256 + (bundle[at + 1] as number);
    if (!(end <= bundle.length)) throw new Malformed(`entry ${entries.length} of the bundle is cut off`);
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  if (entries.length < width || (exact && entries.length > width))
    throw new Malformed(`the bundle has ${entries.length} entries, and not ${width}`);
  return entries.slice(0, width);
}
