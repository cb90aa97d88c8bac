/** A sealer stands still, as under SIGSTOP or `docker pause`, while its successor works on the same folder. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, disk } from '../../../src/audit/seal/disk.ts';
import { Refused } from '../../../src/audit/seal/fatal.ts';
import { audited } from './evolution.ts';
import { type Lab, newLines, sealLab } from './seal-lab.ts';

/** Lets another process seal from its start to its end. The present one does not move meanwhile. */
function succeed(lab: Lab): void {
  const file = join(lab.folder, 'seal.json');
  writeFileSync(file, JSON.stringify(lab.settings));
  // As the successor does when the file of the lock has not changed for six seconds.
  rmSync(join(lab.settings.folder, 'private/lock'), { force: true });
  lab.write(newLines(300));
  const { status, stderr } = spawnSync(
    process.execPath,
    ['src/entries/seal.ts', file, '--key-interval', '0.001', '--log', lab.log, '--folder', lab.settings.folder],
    { input: '', encoding: 'utf8' },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
}

const CHANGES = ['put', 'overwrite', 'erase', 'rename', 'remove', 'removeFolder'] as const;

/** A disk that lets the successor work before the change of a number, and that records the changes after it. */
function pausedAt(lab: Lab, change: number, from: () => boolean) {
  const seen = { changes: 0, isPaused: false };
  const changed = Object.fromEntries(
    CHANGES.map((name) => [
      name,
      (...args: never[]) => {
        if (from() && ++seen.changes === change) {
          seen.isPaused = true;
          succeed(lab);
        }
        return (disk[name] as (...all: never[]) => unknown)(...args);
      },
    ]),
  );
  return { seen, disk: changed as Partial<Disk> };
}

test('a sealer that stood still at any change of a file leaves the log and the key of its successor as they are', async () => {
  let isOver = false;
  for (let change = 1; !isOver; change++) {
    const lab = sealLab();
    lab.now = Date.now() / 1000;
    let isStarted = false;
    const paused = pausedAt(lab, change, () => isStarted);
    const sealer = await lab.open(paused.disk);
    lab.write(newLines(300));
    await sealer.turn(true);
    isStarted = true;
    lab.write(newLines(300));
    lab.now += 3601;
    const ended = await sealer.turn(true).catch((error: unknown) => error);
    isOver = !paused.seen.isPaused;
    if (isOver) continue;
    const key = readFileSync(join(lab.settings.folder, 'private/key'), 'utf8');
    // The single system call before which it stood is not checked again. The next change is.
    if (ended === undefined) await expect(sealer.turn(true), `change ${change}`).rejects.toThrow(Refused);
    else expect(ended, `change ${change}`).toBeInstanceOf(Refused);
    expect(JSON.parse(key), `change ${change}`).toMatchObject({ kty: 'OKP' });
    expect(readFileSync(join(lab.settings.folder, 'private/key'), 'utf8')).toBe(key);
    const { findings } = await audited(lab.settings.folder, []);
    expect(findings, `change ${change}`).toEqual([]);
    succeed(lab);
    expect((await audited(lab.settings.folder, [])).findings, `change ${change}`).toEqual([]);
    expect((await audited(lab.settings.folder, [])).checkpoint.size).toBeGreaterThan(1200);
  }
});
