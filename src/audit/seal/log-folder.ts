import { HASH_BYTES } from '../log/merkle.ts';
import { entriesOf, hashesAt, TILE_WIDTH, type Tile, tilePath } from '../log/tiles.ts';
import { type Disk, folderOf, ifThere } from './disk.ts';
import type { Position } from './generation.ts';
import type { WrittenTile } from './growing-tree.ts';

/** What the sealer has done: private/state.json. */
export interface State {
  readonly size: number;
  /** The root of the tree in base64. */
  readonly root: string;
  readonly positions: readonly Position[];
  /** Digests of the newest compiled policies in the log. */
  readonly policies: readonly string[];
  /** The settings of the sealer in words; absent in the state of an earlier build. */
  readonly settings?: string;
}

/** For metrics: status.json. */
interface Status {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly origin: string;
  /** Number of leaves that the newest checkpoint covers. */
  readonly size: number;
  /** Bytes of the log that were read since the sealer started. */
  readonly read: number;
  /** Seconds since the oldest line that is not sealed was seen. */
  readonly lag_s: number;
  /** Bytes of the log that are not sealed. */
  readonly lag_bytes: number;
  /** Lines that nginx did not write, which were read since the sealer started. */
  readonly foreign: number;
  /** When the signing key was made, in seconds since the epoch. */
  readonly key_since: number;
  /** Why nothing is sealed at present. */
  readonly error?: string;
}

const DIGITS = /^[1-9]\d{0,2}$/;

/** The name of the folder of a level of hashes. */
const LEVEL = /^\d{1,2}$/;

/** The folder of a transparency log. */
export class LogFolder {
  readonly #disk: Disk;
  readonly path: string;
  readonly privatePath: string;

  /** @param privatePath the folder of key and state, which nginx's user need not read */
  constructor(disk: Disk, path: string, privatePath: string) {
    this.#disk = disk;
    this.path = path;
    this.privatePath = privatePath;
  }

  load(name: string): Uint8Array | undefined {
    return ifThere(() => this.#disk.load(`${this.path}/${name}`));
  }

  loadPrivate(name: string): Uint8Array | undefined {
    return ifThere(() => this.#disk.load(`${this.privatePath}/${name}`));
  }

  put(name: string, content: Uint8Array | string): void {
    const path = `${this.path}/${name}`;
    if (ifThere(() => this.#disk.put(path, content) ?? true)) return;
    this.#disk.makeFolder(folderOf(path));
    this.#disk.put(path, content);
  }

  putStatus(status: Status): void {
    this.#disk.put(`${this.path}/status.json`, `${JSON.stringify(status)}\n`, 0o644, false);
  }

  putState(state: State): void {
    this.#disk.put(`${this.privatePath}/state.json`, `${JSON.stringify(state)}\n`, 0o600);
  }

  /** Returns the state, or undefined if it is missing or cannot be read. */
  state(): State | undefined {
    try {
      const bytes = this.loadPrivate('state.json');
      const { size, root, positions, policies, settings } = JSON.parse(Buffer.from(bytes ?? []).toString());
      const isComplete = Number.isSafeInteger(size) && typeof root === 'string' && Array.isArray(policies);
      return isComplete && Array.isArray(positions)
        ? { size, root, positions, policies, ...(typeof settings === 'string' && { settings }) }
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** When a file was last changed, in ms; undefined if it does not exist. */
  changed(name: string): number | undefined {
    return ifThere(() => this.#disk.stat(`${this.path}/${name}`).mtimeMs);
  }

  stateChanged(): number | undefined {
    return ifThere(() => this.#disk.stat(`${this.privatePath}/state.json`).mtimeMs);
  }

  /** Reads a tile: as wide as it is asked for, or wider.
   * @throws Error with the code `ENOENT` if it does not exist */
  readonly readTile = (tile: Tile): Uint8Array => {
    const full = tilePath({ ...tile, width: TILE_WIDTH });
    const wider = [tilePath(tile), full].find((path) => ifThere(() => this.#disk.stat(`${this.path}/${path}`)));
    if (wider !== undefined) return this.#disk.load(`${this.path}/${wider}`);
    const widths = this.#widths(tile).filter((width) => width > tile.width);
    return this.#disk.load(`${this.path}/${tilePath({ ...tile, width: Math.min(TILE_WIDTH, ...widths) })}`);
  };

  /** Returns the last entry of a tree. */
  lastEntry(size: number): Uint8Array | undefined {
    if (size === 0) return undefined;
    const [index, width] = [Math.floor((size - 1) / TILE_WIDTH), ((size - 1) % TILE_WIDTH) + 1];
    return entriesOf(this.readTile({ level: 'entries', index, width }), width)[width - 1];
  }

  /** Writes tiles and bundles. The parts of a tile are removed when it is full. */
  putTiles(tiles: readonly WrittenTile[]): void {
    for (const { tile, bytes } of tiles) {
      this.put(tilePath(tile), bytes);
      if (tile.width === TILE_WIDTH) this.#removeParts(tile, 0);
    }
  }

  /** Removes what a crash has left behind of a tree that was never signed: tiles after the right edge. */
  removeAfter(size: number): void {
    // Every level on the disk: a level can be there only because of leaves that were never signed.
    const names = ifThere(() => this.#disk.names(`${this.path}/tile`)) ?? [];
    const levels = names.filter((name) => name === 'entries' || LEVEL.test(name));
    for (const level of levels.map((name): Tile['level'] => (name === 'entries' ? name : Number(name)))) {
      const count = hashesAt(level, size);
      const edge = Math.floor(count / TILE_WIDTH);
      let index = edge;
      while (this.#isThere({ level, index: index + 1, width: TILE_WIDTH })) index++;
      // From right to left, so that no tile is left apart from the others if the sealer is killed here too.
      for (; index >= edge; index--) {
        const tile = { level, index, width: TILE_WIDTH };
        const first = index === edge ? count % TILE_WIDTH : 0;
        if (first > 0) this.#keepPart({ ...tile, width: first });
        ifThere(() => this.#disk.remove(`${this.path}/${tilePath(tile)}`));
        this.#removeParts(tile, first);
      }
    }
  }

  /** Whether a tile or a part of it is there. */
  #isThere(tile: Tile): boolean {
    const isFull = ifThere(() => this.#disk.stat(`${this.path}/${tilePath(tile)}`)) !== undefined;
    return isFull || this.#namesOfParts(tile).length > 0;
  }

  /** Writes a part of a full tile, if only the full one is there: the parts of a tile are removed when it is full. */
  #keepPart(tile: Tile): void {
    if (this.load(tilePath(tile)) !== undefined) return;
    const full = this.load(tilePath({ ...tile, width: TILE_WIDTH }));
    if (full === undefined) return;
    const length =
      tile.level === 'entries'
        ? entriesOf(full, tile.width).reduce((sum, entry) => sum + 2 + entry.length, 0)
        : tile.width * HASH_BYTES;
    this.put(tilePath(tile), full.subarray(0, length));
  }

  #partsOf(tile: Tile): string {
    return `${this.path}/${folderOf(tilePath({ ...tile, width: 1 }))}`;
  }

  #namesOfParts(tile: Tile): readonly string[] {
    return ifThere(() => this.#disk.names(this.#partsOf(tile))) ?? [];
  }

  #widths(tile: Tile): readonly number[] {
    return this.#namesOfParts(tile)
      .filter((name) => DIGITS.test(name))
      .map(Number);
  }

  /** Removes the parts that are wider, and those that were being written when the sealer was killed. */
  #removeParts(tile: Tile, width: number): void {
    const names = this.#namesOfParts(tile);
    const gone = names.filter((name) => Number(name) > width || name.endsWith('.new'));
    for (const name of gone) ifThere(() => this.#disk.remove(`${this.#partsOf(tile)}/${name}`));
    if (width === 0 && names.length > 0 && gone.length === names.length)
      ifThere(() => this.#disk.removeFolder(this.#partsOf(tile)));
  }
}
