import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disk } from '../../../src/audit/seal/disk.ts';
import { GrowingTree } from '../../../src/audit/seal/growing-tree.ts';
import { LogFolder } from '../../../src/audit/seal/log-folder.ts';
import { sealLab } from './seal-lab.ts';

/** The files of a folder, by their paths, with a digest of their bytes. */
function filesOf(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), digest(path)]));
}

/** Writes the tiles of a tree that grows in these steps. */
function writtenIn(steps: readonly number[]): { readonly folder: LogFolder; readonly path: string } {
  const path = sealLab().settings.folder;
  mkdirSync(path);
  const folder = new LogFolder(disk, path, join(path, 'private'));
  const tree = new GrowingTree();
  for (const step of steps) {
    while (tree.size < step) tree.append(Buffer.from(`entry ${tree.size}`));
    folder.putTiles(tree.written());
  }
  return { folder, path };
}

test.each([
  [1, 2],
  [300, 310],
  [255, 256],
  [256, 257],
  [300, 513],
  [300, 1100],
  [0, 200],
  [0, 700],
  [100, 65_537],
  [65_000, 66_100],
])('a restart after a crash leaves the tiles of %d signed leaves, and none of %d stored ones', (signed, stored) => {
  const { folder, path } = writtenIn([signed, stored]);
  folder.removeAfter(signed);
  expect(filesOf(path)).toEqual(filesOf(writtenIn([signed]).path));
  folder.removeAfter(signed);
  expect(filesOf(path)).toEqual(filesOf(writtenIn([signed]).path));
});
