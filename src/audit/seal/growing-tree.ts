import { Malformed } from '../log/malformed.ts';
import { HASH_BYTES, leafHash, rootOf } from '../log/merkle.ts';
import {
  entriesOf,
  hashesAt,
  hashesOf,
  MAX_ENTRY_BYTES,
  nodesOf,
  partialTiles,
  type ReadTile,
  subtreeHash,
  TILE_WIDTH,
  type Tile,
  tilesOfGrowth,
} from '../log/tiles.ts';

/** A tile that a log writes, with its bytes. They are only valid until the next call of {@link GrowingTree.append}. */
export interface WrittenTile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/** A tree that grows by entries, and the tiles that it writes. In memory are only the tiles of its right edge, and the
 * full ones that {@link GrowingTree.written} has not returned yet. A leaf costs two hashes. */
export class GrowingTree {
  #size = 0;
  /** Number of leaves when {@link written} was called. */
  #writtenSize = 0;
  /** The last tile of each level. It may be empty. */
  #edge: Uint8Array[] = [];
  #bundle = new Uint8Array(65536);
  #bundleLength = 0;
  /** The tiles that became full since {@link written} was called. */
  #full: WrittenTile[] = [];

  /** Restores a tree from its partial tiles.
   * @throws Malformed if they do not have the hashes and entries of a tree of this size. The caller compares
   * {@link root} with the root of the checkpoint. */
  static restore(size: number, read: ReadTile): GrowingTree {
    const tree = new GrowingTree();
    tree.#size = size;
    tree.#writtenSize = size;
    for (const tile of partialTiles(size)) {
      const bytes = read(tile);
      if (tile.level === 'entries') {
        const length = entriesOf(bytes, tile.width).reduce((sum, entry) => sum + 2 + entry.length, 0);
        tree.#enlarge(length);
        tree.#bundle.set(bytes.subarray(0, length));
        tree.#bundleLength = length;
        continue;
      }
      tree.#tile(tile.level).set(hashesOf(bytes, tile.width));
    }
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes of the tiles and bundles that {@link written} would return, at least. */
  get pendingBytes(): number {
    return this.#full.reduce((sum, { bytes }) => sum + bytes.length, this.#bundleLength);
  }

  /** Adds an entry of at most {@link MAX_ENTRY_BYTES} bytes. Each line costs one such call. In QuickJS a call takes as
   * long as a fifth of a hash, so this calls little. */
  append(entry: Uint8Array): void {
    const { length } = entry;
    if (length > MAX_ENTRY_BYTES) throw new Malformed(`an entry has more than ${MAX_ENTRY_BYTES} bytes`);
    const start = this.#bundleLength + 2;
    const end = start + length;
    if (end > this.#bundle.length) this.#enlarge(end);
    const bundle = this.#bundle;
    bundle[start - 2] = length >> 8;
    bundle[start - 1] = length & 0xff;
    bundle.set(entry, start);
    this.#bundleLength = end;
    const at = this.#size++ % TILE_WIDTH;
    (this.#edge[0] ?? this.#tile(0)).set(leafHash(entry), at * HASH_BYTES);
    if (at === TILE_WIDTH - 1) this.#close();
  }

  /** Returns the root of the tree. It costs up to 255 hashes for each level of tiles. */
  root(): Uint8Array {
    return rootOf(this.#size, nodesOf(this.#size, this.#nodeTile));
  }

  /** Returns the tiles and bundles that have changed since the last call. They must be stored before a checkpoint of
   * this size is signed. */
  written(): readonly WrittenTile[] {
    const partial = [...tilesOfGrowth(this.#writtenSize, this.#size)].filter(({ width }) => width < TILE_WIDTH);
    const written = [...this.#full, ...partial.map((tile) => ({ tile, bytes: this.#edgeBytes(tile) }))];
    this.#full = [];
    this.#writtenSize = this.#size;
    return written;
  }

  #tile(level: number): Uint8Array {
    this.#edge[level] ??= new Uint8Array(TILE_WIDTH * HASH_BYTES);
    return this.#edge[level];
  }

  #edgeBytes({ level, width }: Tile): Uint8Array {
    return level === 'entries'
      ? this.#bundle.subarray(0, this.#bundleLength)
      : this.#tile(level).subarray(0, width * HASH_BYTES);
  }

  /** Reads a tile for the root, which needs only tiles of the right edge. A node of a level that is complete is one hash
   * of the level above. */
  readonly #nodeTile: ReadTile = (tile) => this.#edgeBytes(tile);

  /** Makes room in the bundle. */
  #enlarge(least: number): void {
    if (least <= this.#bundle.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bundle.length, least));
    larger.set(this.#bundle);
    this.#bundle = larger;
  }

  /** Closes the bundle and the tiles that are full, from the bottom. */
  #close(): void {
    const index = this.#size / TILE_WIDTH - 1;
    const bundle = this.#bundle.slice(0, this.#bundleLength);
    this.#full.push({ tile: { level: 'entries', index, width: TILE_WIDTH }, bytes: bundle });
    this.#bundleLength = 0;
    for (let level = 0; hashesAt(level, this.#size) % TILE_WIDTH === 0; level++) {
      const bytes = this.#tile(level);
      const index = hashesAt(level, this.#size) / TILE_WIDTH - 1;
      this.#full.push({ tile: { level, index, width: TILE_WIDTH }, bytes });
      this.#edge[level] = new Uint8Array(TILE_WIDTH * HASH_BYTES);
      const above = hashesAt(level + 1, this.#size) - 1;
      this.#tile(level + 1).set(subtreeHash(bytes), (above % TILE_WIDTH) * HASH_BYTES);
    }
  }
}
