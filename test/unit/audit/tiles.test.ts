import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof, isConsistent, isIncluded, leafHash } from '../../../src/audit/log/merkle.ts';
import { entriesOf, hashesOf, nodesOf, readTilePath, tilePath, tilesOfGrowth } from '../../../src/audit/log/tiles.ts';
import { GrowingTree, type WrittenTile } from '../../../src/audit/seal/growing-tree.ts';
import { definedRoot, grown, problemOf } from './specs.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hashed = (tiles: readonly WrittenTile[]) =>
  tiles.map(({ tile, bytes }) => [tilePath(tile), hex(leafHash(bytes))]);

describe('paths of tiles', () => {
  it.each([
    ['tile/0/x001/x234/067', { level: 0, index: 1234067, width: 256 }],
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/1/999.p/1', { level: 1, index: 999, width: 1 }],
    ['tile/63/x001/000.p/255', { level: 63, index: 1000, width: 255 }],
    ['tile/entries/x273/112.p/42', { level: 'entries', index: 273112, width: 42 }],
  ] as const)('%s is written and read', (path, tile) => {
    expect(tilePath(tile)).toBe(path);
    expect(readTilePath(path)).toEqual(tile);
  });

  it.each([
    'tile/0/1',
    'tile/0/001.p/0',
    'tile/0/001.p/256',
    'tile/0/001.p/01',
    'tile/00/001',
    'tile/64a/001',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/data/001',
    'tile/0/../001',
    '/tile/0/001',
    'tile/0/x999/x999/x999/x999/x999/999',
  ])('%s is not a path', (path) => {
    expect(readTilePath(path)).toBeUndefined();
  });
});

describe('tiles of a growth', () => {
  const paths = (from: number, to: number) => [...tilesOfGrowth(from, to)].map(tilePath);

  it('has the tiles that the specification names for 70,000 entries', () => {
    const all = paths(0, 70_000);
    expect(all.filter((path) => /^tile\/0\/\d{3}$/.test(path))).toHaveLength(273);
    expect(all).toHaveLength(2 * 274 + 2 + 1);
    expect(all).toEqual(
      expect.arrayContaining(['tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1']),
    );
  });

  it('has a full tile and a partial one above it for 256 entries', () => {
    expect(paths(0, 256)).toEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']);
  });

  it('has only what differs', () => {
    expect(paths(256, 258)).toEqual(['tile/entries/001.p/2', 'tile/0/001.p/2']);
    expect(paths(500, 513)).toEqual([
      'tile/entries/001',
      'tile/entries/002.p/1',
      'tile/0/001',
      'tile/0/002.p/1',
      'tile/1/000.p/2',
    ]);
    expect(paths(300, 300)).toEqual([]);
  });
});

describe('a growing tree', () => {
  it('has the defined root with three levels of tiles', () => {
    const leaves = Array.from({ length: 65_900 }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
    expect(grown(65_900).tree.root()).toEqual(definedRoot(leaves));
  });

  it('writes the same tiles in any steps, and each checkpoint finds its own', () => {
    const steps = [1, 2, 255, 256, 257, 511, 512, 700];
    const { files } = grown(700, steps);
    const atOnce = grown(700).files;
    for (const [path, bytes] of atOnce) expect(files.get(path), path).toEqual(bytes);
    for (const step of steps)
      for (const tile of tilesOfGrowth(0, step)) expect(files.has(tilePath(tile)), tilePath(tile));
  });

  it.each([0, 1, 255, 256, 257, 300, 65_536, 65_537])('goes on after a restart at %d leaves', (size) => {
    const { tree, read } = grown(size);
    const restored = GrowingTree.restore(size, read);
    expect(restored.root()).toEqual(tree.root());
    expect(restored.written()).toEqual([]);
    for (const one of [tree, restored]) for (let more = 0; more < 300; more++) one.append(Buffer.from(`more ${more}`));
    expect(restored.root()).toEqual(tree.root());
    expect(hashed(restored.written())).toEqual(hashed(tree.written()));
  });

  it('serves proofs from its tiles across levels', () => {
    const { read } = grown(66_000, [65_000, 66_000]);
    const nodes = nodesOf(66_000, read);
    const leaves = Array.from({ length: 66_000 }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
    const newer = { size: 66_000, root: definedRoot(leaves) };
    const older = { size: 65_000, root: definedRoot(leaves.slice(0, 65_000)) };
    expect(isConsistent(older, newer, consistencyProof(65_000, 66_000, nodes))).toBe(true);
    for (const index of [0, 64_999, 65_535, 65_536, 65_999])
      expect(isIncluded(index, leaves[index]!, newer, inclusionProof(index, 66_000, nodes)), `${index}`).toBe(true);
  });

  it('rejects an entry that a bundle cannot hold', async () => {
    expect(await problemOf(() => new GrowingTree().append(new Uint8Array(65536)))).toBe(
      'an entry has more than 65535 bytes',
    );
  });
});

describe('the bytes of tiles', () => {
  it.each([
    ['a tile that is cut off', () => hashesOf(new Uint8Array(63), 1), 'it has 63 bytes, and not 1 hashes of 32 bytes'],
    [
      'a tile with fewer hashes',
      () => hashesOf(new Uint8Array(64), 3),
      'it has 64 bytes, and not 3 hashes of 32 bytes',
    ],
    ['a length that is cut off', () => entriesOf(Uint8Array.from([0]), 1), 'entry 0 of the bundle is cut off'],
    [
      'an entry that is cut off',
      () => entriesOf(Uint8Array.from([0, 1, 9, 0, 2, 9]), 2),
      'entry 1 of the bundle is cut off',
    ],
    ['fewer entries', () => entriesOf(Uint8Array.from([0, 1, 9]), 2), 'the bundle has 1 entries, and not 2'],
  ])('%s is rejected', async (_, read, wanted) => {
    expect(await problemOf(read)).toBe(wanted);
  });
});
