import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** A disk on which the sealer is killed at the removal after this many. */
const killedAfter = (removals: number) => {
  let left = removals;
  const remove = (path: string) => {
    if (left-- === 0) throw new Error('killed');
    disk.remove(path);
  };
  return { ...disk, remove };
};

test.each([
  [300, 1100],
  [0, 700],
])(
  'a crash while the rest of a crash is removed leaves nothing for ever: %d signed leaves, %d stored',
  (signed, stored) => {
    const wanted = filesOf(writtenIn([signed]).path);
    for (let removals = 0, killed = true; killed; removals++) {
      const { folder, path } = writtenIn([signed, stored]);
      killed = false;
      try {
        new LogFolder(killedAfter(removals), path, join(path, 'private')).removeAfter(signed);
      } catch {
        killed = true;
      }
      folder.removeAfter(signed);
      expect(filesOf(path)).toEqual(wanted);
    }
  },
);

test('a name that is no level is left alone', () => {
  const { folder, path } = writtenIn([300]);
  writeFileSync(join(path, 'tile', 'notes'), 'x');
  const before = filesOf(path);
  folder.removeAfter(300);
  expect(filesOf(path)).toEqual(before);
});
