import { Malformed, sameBytes } from '../log/malformed.ts';
import { HASH_BYTES, leafHash, rootOf, type Tree } from '../log/merkle.ts';
import {
  entriesOf,
  hashesAt,
  hashesOf,
  nodesOf,
  type ReadTile,
  subtreeHash,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '../log/tiles.ts';

/** A file of the log that is not what the root commits to. */
export interface BadFile {
  readonly path: string;
  /** The entry that was altered; absent: the whole file is meant. */
  readonly index?: number;
  readonly problem: string;
}

/** What {@link checkTiles} tells while it reads. */
export interface Visitor {
  bad(file: BadFile): void;
  /** Called for each entry from the first to the last.
   * @param entry its bytes; undefined if the bundle does not have it
   * @param hash the hash that was sealed, or the one of the tile if that is not known
   * @param isSealed whether these bytes were sealed */
  entry(index: number, entry: Uint8Array | undefined, hash: Uint8Array, isSealed: boolean): void;
}

interface CheckedTiles {
  /** Whether the root is that of the files. If not, nothing else is certain. */
  readonly isRoot: boolean;
  /** Returns the hashes that were sealed, whatever the file has now. Tiles of level 0 are not kept.
   * @throws Malformed if they are not known */
  readonly sealed: ReadTile;
}

const NO_HASH = new Uint8Array(HASH_BYTES);

/** Returns the result, or what is malformed. */
function attempt<T>(make: () => T): { readonly made: T } | { readonly problem: string } {
  try {
    return { made: make() };
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}

const madeOf = <T>(tried: { readonly made: T } | { readonly problem: string }): T | undefined =>
  'made' in tried ? tried.made : undefined;

/** After so many files that are missing or altered, the rest is not checked: the size of a log that is not there would decide
 * how long this takes. */
const MAX_BAD = 10_000;

/** Checks all tiles and bundles against the root of the log, from the top down: a tile is what the tile above commits
 * to. So it is known which file was altered, and not only that one was.
 */
export function checkTiles(tree: Tree, read: ReadTile, visitor: Visitor): CheckedTiles {
  const { size } = tree;
  let bad = 0;
  const report = (file: BadFile): void => {
    if (++bad <= MAX_BAD) visitor.bad(file);
  };
  const width = (level: Tile['level'], index: number) =>
    Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH);
  const tileOf = (level: Tile['level'], index: number): Tile => ({ level, index, width: width(level, index) });
  const tilesAt = (level: number) => Math.ceil(hashesAt(level, size) / TILE_WIDTH);

  const held = (level: number, index: number) => hashesOf(read(tileOf(level, index)), width(level, index));
  const entries = (index: number) => entriesOf(read(tileOf('entries', index)), width('entries', index));

  /** Makes a tile of the files below it. */
  function below(level: number, index: number): Uint8Array {
    const made = new Uint8Array(width(level, index) * HASH_BYTES);
    if (level === 0) {
      for (const [at, entry] of entries(index).entries()) made.set(leafHash(entry), at * HASH_BYTES);
      return made;
    }
    for (let at = 0; at < width(level, index); at++)
      made.set(subtreeHash(held(level - 1, index * TILE_WIDTH + at)), at * HASH_BYTES);
    return made;
  }

  /** Finds the partial tiles that lead to the root: each as its file has it, or as the files below it make it. */
  function edge(levels: readonly number[]): ReadonlyMap<number, Uint8Array> | undefined {
    const last = (level: number) => tilesAt(level) - 1;
    const choices = levels.map((level) => [
      madeOf(attempt(() => held(level, last(level)))),
      madeOf(attempt(() => below(level, last(level)))),
    ]);
    for (let choice = 0; choice < 2 ** levels.length; choice++) {
      const chosen = new Map(levels.map((level, at) => [level, choices[at]?.[(choice >> at) & 1]]));
      if ([...chosen.values()].includes(undefined)) continue;
      const nodes = nodesOf(size, ({ level }) => chosen.get(level as number) as Uint8Array);
      if (sameBytes(rootOf(size, nodes), tree.root)) return chosen as ReadonlyMap<number, Uint8Array>;
    }
    return undefined;
  }

  /** Returns the hashes that the tile above commits to, and reports a file that differs. */
  function sealedTile(level: number, index: number, expected: Uint8Array | undefined): Uint8Array | undefined {
    const file = attempt(() => held(level, index));
    const isComplete = width(level, index) === TILE_WIDTH;
    const known = isComplete ? expected : partial?.get(level);
    if (known === undefined) return undefined;
    const agrees = (hashes: Uint8Array) => sameBytes(isComplete ? subtreeHash(hashes) : hashes, known);
    if ('made' in file && agrees(file.made)) return file.made;
    const problem = 'made' in file ? 'it was altered' : file.problem;
    report({ path: tilePath(tileOf(level, index)), problem });
    if (!isComplete) return known;
    const made = madeOf(attempt(() => below(level, index)));
    return made !== undefined && agrees(made) ? made : undefined;
  }

  function visit(index: number, sealed: Uint8Array | undefined): void {
    const bundle = attempt(() => entries(index));
    if ('problem' in bundle) report({ path: tilePath(tileOf('entries', index)), problem: bundle.problem });
    const hashes = sealed ?? madeOf(attempt(() => held(0, index)));
    for (let at = 0; at < width(0, index); at++) {
      const entry = madeOf(bundle)?.[at];
      const number = index * TILE_WIDTH + at;
      const hash = hashes?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
      const isSealed = entry !== undefined && hash !== undefined && sameBytes(leafHash(entry), hash);
      if (entry !== undefined && !isSealed)
        report({ path: tilePath(tileOf('entries', index)), index: number, problem: 'it was altered' });
      visitor.entry(number, entry, hash ?? NO_HASH, isSealed);
    }
  }

  const levels: number[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) levels.unshift(level);
  const partial = edge(levels.filter((level) => hashesAt(level, size) % TILE_WIDTH > 0));
  const kept: (Uint8Array | undefined)[][] = [];
  for (const level of levels) {
    const tiles: (Uint8Array | undefined)[] = [];
    const above = kept[level + 1] ?? [];
    for (let index = 0; index < tilesAt(level) && bad <= MAX_BAD; index++) {
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      const parent = index < hashesAt(level + 1, size) ? above[Math.floor(index / TILE_WIDTH)] : undefined;
      const sealed = sealedTile(level, index, parent?.subarray(at, at + HASH_BYTES));
      if (level === 0) visit(index, sealed);
      else tiles.push(sealed);
    }
    kept[level] = tiles;
  }
  if (bad > MAX_BAD)
    visitor.bad({
      path: 'tile',
      problem: `more than ${MAX_BAD} files or entries are wrong, so the rest was not checked`,
    });
  return {
    isRoot: partial !== undefined,
    sealed({ level, index }) {
      const hashes = kept[level as number]?.[index];
      if (hashes === undefined) throw new Malformed('its hashes are not known');
      return hashes;
    },
  };
}
