import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fullDisk, type Lab, newLine, newLines, sealLab } from './seal-lab.ts';

/** Runs the sealer once more: from its start to its end. */
async function run(lab: Lab): Promise<void> {
  const sealer = await lab.open();
  await sealer.end();
}

test('seals each line of the file once, in its order', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const all = newLines(700);
  for (let at = 0; at < all.length; at += 100) {
    lab.write(all.slice(at, at + 100));
    await sealer.turn(true);
  }
  await sealer.end();
  expect(lab.sealed().lines).toEqual(all);
  expect(lab.sealed().events).toEqual(['started']);
});

test('waits until a line has its line break', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [first, second] = [newLine(), newLine()];
  appendFileSync(lab.log, `${first}\n${second.slice(0, 50)}`);
  await sealer.turn(true);
  expect(lab.sealed().lines).toEqual([first]);
  appendFileSync(lab.log, `${second.slice(50)}\n`);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([first, second]);
});

test('seals an empty line, a line with bytes that are not UTF-8, and one as long as an entry can be', async () => {
  const lab = sealLab();
  const longest = 'x'.repeat(65_535);
  appendFileSync(
    lab.log,
    Buffer.concat([Buffer.from('\n'), Buffer.from([0xff, 0xfe, 10]), Buffer.from(`${longest}\n`)]),
  );
  await run(lab);
  const entries = lab.sealed().entries.slice(1);
  expect(entries.map((it) => it.toString('latin1'))).toEqual(['', '\xff\xfe', longest]);
});

test('seals a line of two megabytes as its digest, and the lines around it', async () => {
  const lab = sealLab();
  const [before, after] = [newLine(), newLine()];
  lab.write([before, 'x'.repeat(2_000_000), after]);
  await run(lab);
  const { entries, lines } = lab.sealed();
  expect(lines).toEqual([before, after]);
  expect(JSON.parse(String(entries[2]))).toEqual({
    'meshgate.leaf': 'long',
    // Of printf '%2000000s' | tr ' ' x | sha256sum.
    sha256: 'be8889d3b8893c11d290b8dcf682164c326a90e6998f6bddb25d9a3a02daf666',
    bytes: 2_000_000,
  });
});

test('does not take a line of the file for a leaf of its own', async () => {
  const lab = sealLab();
  lab.write(['{"meshgate.leaf":"key","number":1,"key":"attacker"}']);
  await run(lab);
  expect(JSON.parse(String(lab.sealed().entries[1]))).toEqual({
    'meshgate.leaf': 'foreign',
    line: '{"meshgate.leaf":"key","number":1,"key":"attacker"}',
  });
});

test('waits for a file that does not exist yet', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  await sealer.turn(true);
  expect(lab.reported.at(-1)).toBe(`${lab.log} does not exist; the sealer keeps trying`);
  const lines = newLines(3);
  lab.write(lines);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('reads a renamed file as long as workers write to it', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [first, unread, late, last, new1, new2] = newLines(6) as [string, string, string, string, string, string];
  lab.write([first]);
  await sealer.turn(true);
  lab.write([unread]);
  renameSync(lab.log, `${lab.log}.1`);
  await sealer.turn(true);
  expect(lab.sealed().lines).toEqual([first, unread]);
  // One worker has the new file, another one still has the old one.
  lab.write([new1]);
  lab.write([late], `${lab.log}.1`);
  await sealer.turn(true);
  lab.write([new2]);
  lab.write([last], `${lab.log}.1`);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([first, unread, late, new1, last, new2]);
  expect(lab.sealed().events).toEqual(['started']);
});

test('reads several rotated files at the same time', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const all = new Set<string>();
  for (let rotation = 1; rotation <= 6; rotation++) {
    const line = newLine();
    lab.write([line]);
    all.add(line);
    await sealer.turn();
    renameSync(lab.log, `${lab.log}.${rotation}`);
    for (let older = 1; older <= rotation; older++) {
      const late = newLine();
      lab.write([late], `${lab.log}.${older}`);
      all.add(late);
    }
  }
  await sealer.end();
  expect([...lab.sealed().lines].sort()).toEqual([...all].sort());
});

test('finds the file between two rotations that came between two looks', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [read, unread, between, current] = [newLines(10), newLines(10), newLines(10), newLines(10)];
  lab.write(read);
  await sealer.turn();
  lab.write(unread);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(between);
  renameSync(lab.log, `${lab.log}.2`);
  lab.write(current);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...read, ...unread, ...between, ...current]);
});

test('reads both copies if copytruncate came twice between two looks, and no copy that was made without it', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [read, unread, between, current] = [newLines(100), newLines(10), newLines(20), newLines(200)];
  lab.write(read);
  await sealer.turn();
  copyFileSync(lab.log, `${lab.log}.3`);
  await sealer.turn();
  lab.write(unread);
  copyFileSync(lab.log, `${lab.log}.2`);
  truncateSync(lab.log);
  lab.write(between);
  copyFileSync(lab.log, `${lab.log}.1`);
  truncateSync(lab.log);
  lab.write(current);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...read, ...unread, ...between, ...current]);
});

test('keeps the rotated files open while the disk is full', async () => {
  const lab = sealLab();
  const full = fullDisk();
  const sealer = await lab.open(full.disk);
  const lines = newLines(40);
  for (let rotation = 0; rotation < 4; rotation++) {
    full.isFull = rotation > 0 && rotation < 3;
    lab.now += 1;
    lab.write(lines.slice(10 * rotation, 10 * rotation + 10));
    await sealer.turn(true);
    renameSync(lab.log, `${lab.log}.1`);
  }
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('stops reading the oldest of more than 32 rotated files, and says so', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const lines = newLines(34);
  for (const [rotation, line] of lines.entries()) {
    lab.write([line]);
    await sealer.turn();
    renameSync(lab.log, `${lab.log}.${rotation}`);
  }
  await sealer.turn(true);
  const late = newLine();
  lab.write([late], `${lab.log}.0`);
  lab.write(['{"time":"the newest"}'], `${lab.log}.33`);
  await sealer.end();
  expect(lab.sealed().events).toEqual(['started', 'log_dropped', 'log_dropped']);
  expect(lab.sealed().lines).toEqual([...lines, '{"time":"the newest"}']);
});

test('closes a rotated file after ten minutes, and seals its last line that has no line break', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [line, cut, next] = newLines(3) as [string, string, string];
  appendFileSync(lab.log, `${line}\n${cut.slice(0, 60)}`);
  await sealer.turn(true);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write([next]);
  for (let turn = 0; turn < 1332; turn++, lab.now += 0.45) await sealer.turn();
  expect(lab.sealed().lines).toEqual([line, next]);
  await sealer.turn();
  await sealer.turn(true);
  expect(lab.sealed().lines).toEqual([line, next, cut.slice(0, 60)]);
  await sealer.end();
});

/** A log that was rotated, without a word to nginx, ten minutes ago: the renamed file is closed. */
async function closedLab() {
  const lab = sealLab();
  const sealer = await lab.open();
  const lines = newLines(6);
  lab.write(lines.slice(0, 1));
  await sealer.turn(true);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(lines.slice(1, 2));
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++, lab.now += 0.45) await sealer.turn();
  };
  await turns(1340);
  return { lab, sealer, lines, turns };
}

test('reads lines that come to a rotated file after it was closed, and says so', async () => {
  const { lab, sealer, lines, turns } = await closedLab();
  lab.write(lines.slice(2, 3), `${lab.log}.1`);
  await turns(70);
  lab.write(lines.slice(3, 4), `${lab.log}.1`);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines.slice(0, 4));
  expect(lab.sealed().events).toEqual(['started', 'log_reopened']);
  expect(lab.reported.at(-1)).toBe(
    `log_reopened: ${lab.log}.1 got lines after it was closed: does its rotation send USR1 to nginx?`,
  );
});

test('reads lines that came to a closed file before the sealer was started again', async () => {
  const { lab, sealer, lines } = await closedLab();
  lab.write(lines.slice(2, 3), `${lab.log}.1`);
  // The state of the sealer is newer than the line.
  lab.write(lines.slice(3, 4));
  await sealer.end();
  await run(lab);
  expect([...lab.sealed().lines].sort()).toEqual([...lines.slice(0, 4)].sort());
  expect(lab.sealed().events).toEqual(['started', 'started', 'log_reopened']);
});

test('forgets a closed file that was removed, or is another one now', async () => {
  for (const change of [(path: string) => rmSync(path), (path: string) => writeFileSync(path, 'x'.repeat(2000))]) {
    const { lab, sealer, lines, turns } = await closedLab();
    change(`${lab.log}.1`);
    await turns(70);
    lab.write(lines.slice(2, 3));
    await sealer.end();
    await run(lab);
    expect(lab.sealed().lines).toEqual(lines.slice(0, 3));
    expect(lab.sealed().events).toEqual(['started', 'started']);
  }
});

test('removes a file that the image has rotated when it is closed and sealed, if the settings say so', async () => {
  const lab = sealLab();
  Object.assign(lab.settings, { removeRotated: true });
  const sealer = await lab.open();
  const lines = newLines(3);
  for (const [index, name] of ['.20260304T101502Z', '.1'].entries()) {
    lab.write([lines[index]!]);
    await sealer.turn(true);
    renameSync(lab.log, `${lab.log}${name}`);
  }
  lab.write([lines[2]!]);
  for (let turn = 0; turn < 1330; turn++) await sealer.turn();
  expect(readdirSync(lab.folder).filter((it) => it.startsWith('access'))).toHaveLength(3);
  for (let turn = 0; turn < 5; turn++) await sealer.turn();
  lab.write(newLines(1));
  await sealer.end();
  expect(readdirSync(lab.folder).filter((it) => it.startsWith('access'))).toEqual(['access.log', 'access.log.1']);
  expect(lab.sealed().lines).toHaveLength(4);
});

test('reads nothing from a file that was truncated and has no new lines', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const lines = newLines(20);
  lab.write(lines);
  await sealer.turn(true);
  truncateSync(lab.log);
  await sealer.turn(true);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('goes on at the beginning of a truncated file, and says that lines may be missing', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [old, after] = [newLines(20), newLines(2)];
  lab.write(old);
  await sealer.turn(true);
  truncateSync(lab.log);
  lab.write(after);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...old, ...after]);
  expect(lab.sealed().events).toEqual(['started', 'log_truncated']);
});

test('finds a truncation after which the file has grown to its old length or beyond, with lines of equal length', async () => {
  for (const grown of [100, 101]) {
    const lab = sealLab();
    const sealer = await lab.open();
    const [old, after] = [newLines(100), newLines(grown)];
    lab.write(old);
    await sealer.turn(true);
    truncateSync(lab.log);
    lab.write(after);
    await sealer.end();
    expect(lab.sealed().lines).toEqual([...old, ...after]);
  }
});

test.each(['has all lines', 'is empty, and gets its lines later'])(
  'seals each line once if a rename and copytruncate meet, and the copy %s when the sealer looks',
  async (how) => {
    const lab = sealLab();
    const sealer = await lab.open();
    const all = newLines(40);
    lab.write(all.slice(0, 10));
    await sealer.turn(true);
    renameSync(lab.log, `${lab.log}.2`);
    lab.write(all.slice(10, 26));
    const copy = `${lab.log}.1`;
    if (how === 'has all lines') copyFileSync(lab.log, copy);
    else writeFileSync(copy, '');
    // The copy is there, and the file is not truncated yet.
    await sealer.turn(true);
    copyFileSync(lab.log, copy);
    truncateSync(lab.log);
    lab.write(all.slice(26));
    await sealer.turn(true);
    await sealer.end();
    expect(lab.sealed().lines).toEqual(all);
  },
);

test('reads a copy if its file is truncated before anything was read of it, although it was seen as a copy', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const all = newLines(30);
  lab.write(all.slice(0, 10));
  await sealer.turn(true);
  renameSync(lab.log, `${lab.log}.2`);
  lab.write(all.slice(10, 20));
  copyFileSync(lab.log, `${lab.log}.1`);
  await sealer.turn(true);
  truncateSync(lab.log);
  lab.write(all.slice(20));
  await sealer.turn(true);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(all);
});

test('reads from the copy what copytruncate took away before it was read', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [old, unread, after] = [newLines(100), newLines(50), newLines(300)];
  lab.write(old);
  await sealer.turn(true);
  lab.write(unread);
  copyFileSync(lab.log, `${lab.log}.1`);
  truncateSync(lab.log);
  lab.write(after);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...old, ...unread, ...after]);
  expect(lab.reported.at(-1)).toBe(
    `log_truncated: after ${100 * (old[0]!.length + 1)} bytes of ${lab.log}; the rest of them is read from ${lab.log}.1`,
  );
});

test('reads the copy if copytruncate came before anything was read of the file', async () => {
  const lab = sealLab();
  lab.write([]);
  const sealer = await lab.open();
  await sealer.turn(true);
  const [copied, after] = [newLines(5), newLines(3)];
  lab.write(copied);
  copyFileSync(lab.log, `${lab.log}.1`);
  truncateSync(lab.log);
  lab.write(after);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...copied, ...after]);
  expect(lab.sealed().events).toEqual(['started', 'log_truncated']);
  expect(lab.reported.at(-1)).toBe(`log_truncated: before ${lab.log} was read; its lines are read from its copy`);
});

test('reads the lines of a copy once if it was made when nothing was read of the file', async () => {
  const lab = sealLab();
  lab.write([]);
  const sealer = await lab.open();
  await sealer.turn(true);
  const lines = newLines(5);
  lab.write(lines);
  copyFileSync(lab.log, `${lab.log}.1`);
  await sealer.turn(true);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
  expect(lab.sealed().events).toEqual(['started']);
});

test('begins a new log in another folder with the lines of the present file', async () => {
  const lab = sealLab();
  const [rotated, before, after] = [newLines(3), newLines(3), newLines(3)];
  lab.write(rotated);
  await run(lab);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(before);
  await run(lab);
  Object.assign(lab.settings, {
    folder: join(lab.folder, 'audit-2027'),
    origin: 'wiki.example.com/meshgate/gw-0-2027',
  });
  lab.write(after);
  await run(lab);
  expect(lab.sealed().lines).toEqual([...before, ...after]);
});

test('says that the file was deleted, and goes on with the next one', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const [old, after] = [newLines(3), newLines(3)];
  lab.write(old);
  await sealer.turn(true);
  rmSync(lab.log);
  await sealer.turn(true);
  expect(lab.sealed().events).toEqual(['started', 'log_gone']);
  lab.write(after);
  await sealer.end();
  expect(lab.sealed().lines).toEqual([...old, ...after]);
});

test('goes on after a restart where it has stopped', async () => {
  const lab = sealLab();
  const all = newLines(600);
  for (let at = 0; at < all.length; at += 200) {
    lab.write(all.slice(at, at + 200));
    await run(lab);
  }
  expect(lab.sealed().lines).toEqual(all);
});

test('finds the rotated files again that were not read to their ends when it stopped', async () => {
  const lab = sealLab();
  const [read, unread, between, current] = [newLines(10), newLines(10), newLines(10), newLines(10)];
  lab.write(read);
  await run(lab);
  lab.write(unread);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(between);
  // Two rotations: the sealer has never seen the file between them.
  renameSync(`${lab.log}.1`, `${lab.log}.2`);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(current);
  await run(lab);
  expect(lab.sealed().lines).toEqual([...read, ...unread, ...between, ...current]);
  expect(lab.sealed().events).toEqual(['started', 'started']);
});

test('reads the copy if copytruncate came while it did not run', async () => {
  const lab = sealLab();
  const [read, unread, current] = [newLines(100), newLines(10), newLines(200)];
  lab.write(read);
  await run(lab);
  lab.write(unread);
  copyFileSync(lab.log, `${lab.log}.1`);
  truncateSync(lab.log);
  lab.write(current);
  await run(lab);
  expect(lab.sealed().lines).toEqual([...read, ...unread, ...current]);
  expect(lab.sealed().events).toEqual(['started', 'started', 'log_truncated']);
});

test('does not seal the copy of lines that are leaves already', async () => {
  const lab = sealLab();
  const [read, current] = [newLines(100), newLines(5)];
  lab.write(read);
  await run(lab);
  copyFileSync(lab.log, `${lab.log}-20260304`);
  lab.write(current);
  await run(lab);
  expect(lab.sealed().lines).toEqual([...read, ...current]);
});

test('says that the file which it has read is not there any more', async () => {
  const lab = sealLab();
  lab.write(newLines(10));
  await run(lab);
  rmSync(lab.log);
  const current = newLines(3);
  lab.write(current);
  await run(lab);
  const { events, lines } = lab.sealed();
  expect(events[2]).toMatch(/^log_(gone|truncated)$/);
  expect(lines.slice(10)).toEqual(current);
});

test('does not read other files and folders beside the log', async () => {
  const lab = sealLab();
  lab.write(newLines(1));
  await run(lab);
  writeFileSync(join(lab.folder, 'access.log.gz'), 'x\n');
  writeFileSync(join(lab.folder, 'access-error.log'), 'x\n');
  mkdirSync(join(lab.folder, 'access.log.5'));
  await run(lab);
  expect(lab.sealed().lines).toHaveLength(1);
});

test('skips the lines that are leaves already if it has lost its position', async () => {
  const lab = sealLab();
  const [rotated, read, unread] = [newLines(300), newLines(300), newLines(20)];
  lab.write(rotated);
  await run(lab);
  renameSync(lab.log, `${lab.log}.1`);
  lab.write(read);
  await run(lab);
  rmSync(join(lab.settings.folder, 'private/state.json'));
  lab.write(unread.slice(0, 5), `${lab.log}.1`);
  lab.write(unread.slice(5));
  await run(lab);
  expect(lab.sealed().lines).toEqual([...rotated, ...read, ...unread]);
  expect(lab.sealed().events).toEqual(['started', 'started', 'started', 'position_lost']);
});

/** A line of `bytes` bytes whose end is a line as nginx writes it, for a sealer that reads long lines in pieces. */
const hiding = (bytes: number, line: string): Buffer =>
  Buffer.concat([Buffer.alloc(bytes - line.length, 'x'), Buffer.from(line)]);

test('seals a line of 128 MiB as one digest, and nothing of it as a line', async () => {
  const lab = sealLab();
  const [before, hidden, after] = newLines(3) as [string, string, string];
  // A sealer once read up to 128 MiB, sealed the digest of that, and the rest as a line.
  const line = hiding(2 ** 27 + hidden.length, hidden);
  lab.write([before]);
  appendFileSync(lab.log, line);
  lab.write(['', after]);
  await run(lab);
  const { entries, lines } = lab.sealed();
  expect(lines).toEqual([before, after]);
  expect(JSON.parse(String(entries[2]))).toEqual({
    'meshgate.leaf': 'long',
    sha256: createHash('sha256').update(line).digest('hex'),
    bytes: line.length,
  });
});
