import { HASH_BYTES, leafHash } from '../log/merkle.ts';
import { TILE_WIDTH } from '../log/tiles.ts';
import type { Disk } from './disk.ts';
import { Generation } from './generation.ts';

/* Finds out from the log itself which lines of a file are sealed. The sealer does this if it does not know its position. */

/** The hashes of the leaves of a log. */
interface Leaves {
  readonly size: number;
  /** Returns the hashes of the leaves from `index * 256` on, at most 256. */
  hashes(index: number): Uint8Array;
}

/** Returns the place of a hash among the first or last of a tile. */
function placeIn(tile: Uint8Array, leaf: Uint8Array, from: number, last: boolean): number | undefined {
  const bytes = Buffer.from(tile.buffer, tile.byteOffset, tile.length);
  const wanted = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length);
  for (let at = last ? bytes.lastIndexOf(wanted) : bytes.indexOf(wanted, from * HASH_BYTES); at >= 0; ) {
    if (at % HASH_BYTES === 0) return at / HASH_BYTES;
    at = last ? bytes.lastIndexOf(wanted, at - 1) : bytes.indexOf(wanted, at + 1);
  }
  return undefined;
}

function lastIndexOf(leaves: Leaves, leaf: Uint8Array): number | undefined {
  for (let index = Math.ceil(leaves.size / TILE_WIDTH) - 1; index >= 0; index--) {
    const place = placeIn(leaves.hashes(index), leaf, 0, true);
    if (place !== undefined) return index * TILE_WIDTH + place;
  }
  return undefined;
}

function indexFrom(leaves: Leaves, leaf: Uint8Array, from: number): number | undefined {
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < leaves.size; index++) {
    const first = Math.max(0, from - index * TILE_WIDTH);
    const place = placeIn(leaves.hashes(index), leaf, first, false);
    if (place !== undefined) return index * TILE_WIDTH + place;
  }
  return undefined;
}

/** Keeps the last tile: the next line is in most cases in the same one. */
function lastOf(hashes: Leaves['hashes']): Leaves['hashes'] {
  let last: { readonly index: number; readonly tile: Uint8Array } | undefined;
  return (index) => {
    if (last?.index !== index) last = { index, tile: hashes(index) };
    return last.tile;
  };
}

/** Returns how many bytes of a file are sealed. The sealer reads a file from its beginning to its end, so the sealed
 * lines are the first ones of the file, and are in the log in the same order.
 * @param path of the file; it is opened and closed */
export function sealedBytes(disk: Disk, path: string, log: Leaves): number {
  const leaves = { size: log.size, hashes: lastOf(log.hashes) };
  const file = new Generation(disk, disk.open(path));
  let sealed = 0;
  let next: number | undefined;
  let isOver = leaves.size === 0;
  let isFirst = true;
  try {
    while (!isOver) {
      const lines = file.read();
      if (lines === undefined || lines === 'truncated') break;
      if (lines === 'unfinished') continue;
      lines.forEach((entry, bytes) => {
        if (isOver) return;
        const leaf = leafHash(entry);
        const place: number | undefined = isFirst ? lastIndexOf(leaves, leaf) : indexFrom(leaves, leaf, next as number);
        isFirst = false;
        isOver = place === undefined;
        if (place === undefined) return;
        next = place + 1;
        sealed += bytes;
      });
    }
  } finally {
    file.close();
  }
  return sealed;
}
