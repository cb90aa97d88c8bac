/** The key of a log changes: what the sealer signs with which key, and what it does if it is killed meanwhile. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disk } from '../../../src/audit/seal/disk.ts';
import { audited, expectComplete, killedAt } from './evolution.ts';
import { type Lab, newLines, sealLab } from './seal-lab.ts';

const keyFile = (lab: Lab) => join(lab.settings.folder, 'private/key');
const ownKey = (lab: Lab) => JSON.parse(readFileSync(keyFile(lab), 'utf8'));
const steps = (lab: Lab) =>
  readdirSync(join(lab.settings.folder, 'keys')).filter((name) => name !== 'first' && !name.endsWith('.new'));

test('makes a new key after an hour of running, and destroys the old one', async () => {
  const lab = sealLab();
  let erased = '';
  const sealer = await lab.open({
    rename(from, to) {
      if (to === keyFile(lab)) erased = readFileSync(to, 'utf8');
      disk.rename(from, to);
    },
  });
  lab.write(newLines(3));
  await sealer.turn(true);
  const first = ownKey(lab);
  lab.now += 3598;
  await sealer.turn(true);
  expect(ownKey(lab)).toEqual(first);
  lab.now += 3;
  lab.write(newLines(2));
  await sealer.turn(true);
  const second = ownKey(lab);
  expect(second).toMatchObject({ number: 1, since: lab.now });
  expect(second.d).not.toBe(first.d);
  expect(statSync(keyFile(lab)).mode & 0o777).toBe(0o600);
  expect(erased).toMatch(/^ {100,}$/);
  expect(readdirSync(join(lab.settings.folder, 'private')).sort()).toEqual(['key', 'lock', 'state.json']);
  lab.write(newLines(2));
  await sealer.end();
  const { findings, keys } = await audited(lab.settings.folder, []);
  expect({ findings, keys }).toEqual({ findings: [], keys: 2 });
  expect(readFileSync(join(lab.settings.folder, 'checkpoint'), 'utf8')).not.toBe(
    readFileSync(join(lab.settings.folder, 'keys/0'), 'utf8'),
  );
});

test('makes a new key at the start if the newest one is older than an hour, and not before', async () => {
  const lab = sealLab();
  lab.write(newLines(3));
  await (await lab.open()).end();
  lab.now += 1800;
  await (await lab.open()).end();
  expect(steps(lab)).toEqual([]);
  lab.now += 1801;
  await (await lab.open()).end();
  expect(steps(lab)).toEqual(['0']);
});

test('keeps its key if the log has a witness', async () => {
  const lab = sealLab();
  Object.assign(lab.settings, { witnesses: [{ url: 'https://witness.example.com', key: 'witness' }] });
  await (await lab.open()).end();
  lab.now += 7200;
  lab.write(newLines(3));
  await (await lab.open()).end();
  expect(steps(lab)).toEqual([]);
  expect(ownKey(lab).number).toBe(0);
});

async function expectEvents(lab: Lab, wanted: readonly string[]): Promise<void> {
  const { findings, events } = await audited(lab.settings.folder, []);
  expect({ findings, events: events.map(({ event }) => event) }).toEqual({ findings: [], events: wanted });
}

test('goes on with its key while the next one cannot be stored, and does not say that it seals again', async () => {
  const lab = sealLab();
  let isFull = true;
  const sealer = await lab.open({
    put(path, ...rest) {
      if (isFull && path.endsWith('/private/next'))
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      disk.put(path, ...rest);
    },
  });
  lab.now += 3601;
  for (let turn = 0; turn < 5; turn++, lab.now++) {
    lab.write(newLines(2));
    await sealer.turn(true);
  }
  expect(lab.sealed().lines).toHaveLength(10);
  expect(lab.sealed().events).toEqual(['started']);
  const status = JSON.parse(readFileSync(join(lab.settings.folder, 'status.json'), 'utf8'));
  expect(status.error).toMatch(/^cannot make the next key: no space left on device/);
  isFull = false;
  await sealer.end();
  expect(steps(lab)).toEqual(['0']);
  await expectEvents(lab, ['started']);
});

test('does not say that it seals again while there is no log, also if its key changes', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  for (let turn = 0; turn < 8; turn++, lab.now += 1000) await sealer.turn(true);
  await sealer.end();
  expect(steps(lab)).toHaveLength(2);
  await expectEvents(lab, ['started']);
});

test('makes one new key if the clock is set back, and the log stays whole', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  lab.write(newLines(3));
  await sealer.turn(true);
  lab.now -= 86_400;
  for (let turn = 0; turn < 5; turn++, lab.now++) {
    lab.write(newLines(2));
    await sealer.turn(true);
  }
  await sealer.end();
  expect(steps(lab)).toEqual(['0']);
  expect((await audited(lab.settings.folder, [])).findings).toEqual([]);
});

test('does not sign with two keys while the disk is full, and goes on with the named key', async () => {
  const lab = sealLab();
  let isFull = false;
  const sealer = await lab.open({
    put(path, ...rest) {
      if (isFull && path.endsWith('/keys/0')) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      disk.put(path, ...rest);
    },
  });
  lab.write(newLines(3));
  await sealer.turn(true);
  [isFull, lab.now] = [true, lab.now + 3601];
  for (let turn = 0; turn < 3; turn++, lab.now++) {
    lab.write(newLines(2));
    await sealer.turn(true);
    expect((await audited(lab.settings.folder, [])).findings).toEqual([]);
  }
  expect(ownKey(lab).number).toBe(0);
  isFull = false;
  await sealer.end();
  expect(ownKey(lab).number).toBe(1);
  expect(lab.settings.folder && steps(lab)).toEqual(['0']);
  const { findings, checkpoint } = await audited(lab.settings.folder, []);
  expect(findings).toEqual([]);
  expect(checkpoint.size).toBeGreaterThan(9);
});

test('goes on with the old key if the next one is lost before the old one was destroyed, and the log says so', async () => {
  const lab = sealLab();
  lab.write(newLines(3));
  const sealer = await lab.open({
    put(path, ...rest) {
      if (path.endsWith('/keys/0')) throw Object.assign(new Error('killed'), { code: 'KILLED' });
      disk.put(path, ...rest);
    },
  });
  await sealer.turn(true);
  lab.now += 3601;
  await sealer.turn(true);
  rmSync(join(lab.settings.folder, 'private/next'));
  const after = await lab.open();
  lab.write(newLines(3));
  await after.end();
  expect(lab.reported.join('\n')).toContain('next_key_lost: the private key 1 is not there; key 0 goes on');
  expect((await audited(lab.settings.folder, [])).events.map(({ event }) => event)).toContain('next_key_lost');
});

test('refuses a checkpoint that an earlier key has signed before its last one', async () => {
  const lab = sealLab();
  const checkpoint = join(lab.settings.folder, 'checkpoint');
  lab.write(newLines(3));
  await (await lab.open()).end();
  const old = readFileSync(checkpoint, 'utf8');
  lab.now += 3601;
  await (await lab.open()).end();
  writeFileSync(checkpoint, old);
  await expect(lab.open()).rejects.toThrow('is not one of this log: an earlier key has signed it. Restore the folder');
});

test('is killed at each change of a file while its key changes, and the log stays whole with its first key', async () => {
  const lab = sealLab();
  const [settings, at, module] = ['seal.json', 'at', 'killed.mjs'].map((name) => join(lab.folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(settings, JSON.stringify(lab.settings));
  writeFileSync(module, killedAt(at));
  // Fewer lines for each change than a run of the sealer can seal: its changes of files grow with the lines.
  const lines: string[] = [];
  const seen: string[] = [];
  const args = ['--import', module, 'dist/seal.js', settings, '--key-interval', '0.001'];
  for (let change = 1, isOver = false; !isOver; change++) {
    writeFileSync(at, String(change));
    const more = newLines(7);
    lines.push(...more);
    lab.write(more);
    const { status, signal, stderr } = spawnSync(process.execPath, args, { input: '', encoding: 'utf8' });
    isOver = status === 0;
    expect(isOver ? status : signal, stderr).toBe(isOver ? 0 : 'SIGKILL');
    if (existsSync(join(lab.settings.folder, 'keys/first')))
      await expectComplete(lab.settings.folder, seen, `${change}`);
    expect(change).toBeLessThan(160);
  }
  const { findings, keys, checkpoint, entry } = await audited(lab.settings.folder, seen);
  expect(findings).toEqual([]);
  expect(keys).toBeGreaterThan(20);
  const leaves = Array.from({ length: checkpoint.size }, (_, index) => String(Buffer.from(entry(index)!)));
  expect(leaves.filter((leaf) => leaf.startsWith('{"time"'))).toEqual(lines);
}, 300_000);
