import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Disk, disk } from '../../../src/audit/seal/disk.ts';
import { fullDisk, type Lab, newLine, newLines, readSealed, sealLab } from './seal-lab.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('writes a checkpoint each second while lines come, and none without lines', async () => {
  const lab = sealLab();
  const written: string[] = [];
  const sealer = await lab.open({
    put(path, content, ...rest) {
      if (path.endsWith('/checkpoint')) written.push(String(content));
      disk.put(path, content, ...rest);
    },
  });
  for (let turn = 0; turn < 12; turn++, lab.now += 0.45) {
    lab.write([newLine()]);
    await sealer.turn();
  }
  expect(written.length).toBeGreaterThanOrEqual(5);
  expect(written.length).toBeLessThanOrEqual(7);
  lab.now += 1;
  await sealer.turn();
  const before = written.length;
  for (let turn = 0; turn < 12; turn++, lab.now += 0.45) await sealer.turn();
  expect(written.length).toBe(before);
  await sealer.end();
});

test('makes the key at the first start, so that only its user can read it, and prints the verifier key', async () => {
  const lab = sealLab();
  await (await lab.open()).end();
  const own = join(lab.settings.folder, 'private');
  expect(statSync(own).mode & 0o777).toBe(0o700);
  expect(statSync(join(own, 'key')).mode & 0o777).toBe(0o600);
  const vkey = readFileSync(join(lab.settings.folder, 'keys/first'), 'utf8').trim();
  expect(vkey).toMatch(/^wiki\.example\.com\/meshgate\/gw-0\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
  expect(lab.reported).toContain(`a new log; this key verifies it: ${vkey}`);
  const { d } = JSON.parse(readFileSync(join(own, 'key'), 'utf8'));
  expect(lab.reported.join('\n')).not.toContain(d);
});

test('keeps key and state in another folder if the settings name one', async () => {
  const lab = sealLab();
  const keyFolder = join(lab.folder, 'keys');
  Object.assign(lab.settings, { keyFolder });
  lab.write(newLines(3));
  await (await lab.open()).end();
  expect(readdirSync(keyFolder).sort()).toEqual(['key', 'state.json']);
  expect(readdirSync(lab.settings.folder)).not.toContain('private');
  expect(lab.sealed().lines).toHaveLength(3);
});

test('adds a policy before the lines that it decided, in parts that fit into a leaf', async () => {
  const lab = sealLab();
  const compiled = JSON.stringify({ text: `${'"é😀\\'.repeat(20_000)}x` });
  const digest = sha256(compiled).slice(0, 32);
  writeFileSync(join(lab.settings.policies, `policy-${digest}.json`), compiled);
  lab.write(newLines(3));
  const sealer = await lab.open();
  await sealer.turn(true);
  const leaves = lab.sealed().entries.map((it) => JSON.parse(String(it)));
  const parts = leaves.filter((it) => it['meshgate.leaf'] === 'policy');
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.map(({ part, parts: of, digest: reported }) => ({ part, of, reported }))).toEqual(
    parts.map((_, index) => ({ part: index + 1, of: parts.length, reported: digest })),
  );
  expect(parts.map(({ text }) => text).join('')).toBe(compiled);
  expect(Math.max(...lab.sealed().entries.map((it) => it.length))).toBeLessThanOrEqual(60_000);
  expect(leaves.findIndex((it) => it['meshgate.leaf'] === 'policy')).toBeLessThan(
    leaves.findIndex((it) => it.request_id !== undefined),
  );
  // It is a leaf once, also after a restart.
  lab.write(newLines(3));
  await sealer.end();
  await (await lab.open()).end();
  expect(lab.sealed().entries.filter((it) => String(it).includes('"meshgate.leaf":"policy"'))).toHaveLength(
    parts.length,
  );
});

test('does not seal a policy that does not have the digest in its name, and says so once', async () => {
  const lab = sealLab();
  writeFileSync(join(lab.settings.policies, `policy-${'0'.repeat(32)}.json`), '{}');
  const sealer = await lab.open();
  await sealer.turn();
  await sealer.end();
  expect(lab.reported.filter((it) => it.includes('does not have the digest in its name'))).toHaveLength(1);
  expect(lab.sealed().entries.some((it) => String(it).includes('"policy"'))).toBe(false);
});

/** Files of tiles that are not of the tree that the checkpoint describes. */
function leftovers(lab: Lab): readonly string[] {
  const { size } = lab.sealed();
  return ['entries', '0'].flatMap((level) => {
    const names = readdirSync(join(lab.settings.folder, 'tile', level), { recursive: true }).map(String);
    return names.filter((name) => {
      const [, index, width] = /^(\d{3})(?:\.p(?:\/(\d+))?)?$/.exec(name) ?? [];
      if (index === undefined) return true;
      const first = Number(index) * 256;
      return name.includes('.p') ? first + Number(width ?? 1) > size : first + 256 > size;
    });
  });
}

/** The functions of the disk that change it. */
const CHANGES = ['put', 'overwrite', 'create', 'rename', 'remove', 'makeFolder', 'removeFolder'] as const;

/** A disk that ends at a change, as if the sealer was killed: nothing changes after this. Of a file that was being
 * written, the temporary file is left. */
function killedAt(
  change: number,
  checkpoints: string[],
): { readonly disk: Partial<Disk>; readonly isOver: () => boolean } {
  let changes = 0;
  const changed = Object.fromEntries(
    CHANGES.map((name) => [
      name,
      (...args: never[]) => {
        changes++;
        const [path, content] = args as unknown as [string, string];
        if (changes === change && name === 'put') {
          writeFileSync(`${path}.new`, content.slice(0, content.length / 2));
        }
        if (changes >= change) throw Object.assign(new Error('killed'), { code: 'KILLED' });
        if (name === 'put' && path.endsWith('/checkpoint')) checkpoints.push(content);
        return (disk[name] as (...all: never[]) => unknown)(...args);
      },
    ]),
  );
  return { disk: changed as Partial<Disk>, isOver: () => changes >= change };
}

test('goes on after it was killed at any change of a file, and never signs two logs', async () => {
  const lab = sealLab();
  const all: string[] = [];
  const write = (count: number) => {
    const lines = newLines(count);
    all.push(...lines);
    lab.write(lines);
  };
  const checkpoints: string[] = [];
  /** Runs the sealer until the change, and returns whether it has ended before. */
  async function run(change: number): Promise<boolean> {
    const killed = killedAt(change, checkpoints);
    try {
      const sealer = await lab.open(killed.disk);
      for (let turn = 0; turn < 2 && !killed.isOver(); turn++) {
        write(40);
        await sealer.turn(true);
      }
      if (!killed.isOver()) await sealer.end();
    } catch (error) {
      if (!killed.isOver()) throw error;
    }
    return !killed.isOver();
  }
  for (let change = 1; !(await run(change)); change++) {
    await run(Number.POSITIVE_INFINITY);
    expect(lab.sealed().lines).toEqual(all);
    expect(lab.sealed().events).not.toContain('position_lost');
    expect(leftovers(lab)).toEqual([]);
    expect(change).toBeLessThan(200);
  }
  expect(lab.sealed().lines).toEqual(all);
  const roots = new Map<string, string>();
  for (const checkpoint of checkpoints) {
    const [, size = '', root = ''] = checkpoint.split('\n');
    expect(roots.get(size) ?? root).toBe(root);
    roots.set(size, root);
  }
  expect(roots.size).toBeGreaterThan(50);
});

test('goes on if a checkpoint was signed, and not its state', async () => {
  const lab = sealLab();
  const lines = newLines(300);
  lab.write(lines.slice(0, 100));
  await (await lab.open()).end();
  const state = join(lab.settings.folder, 'private/state.json');
  copyFileSync(state, `${state}.old`);
  lab.write(lines.slice(100));
  await (await lab.open()).end();
  copyFileSync(`${state}.old`, state);
  await (await lab.open()).end();
  expect(lab.sealed().lines).toEqual(lines);
  expect(lab.sealed().events.at(-1)).toBe('position_lost');
});

test.each([
  ['empty', ''],
  ['not JSON', '{"size":'],
  ['of another form', '{"size":"1"}'],
])('skips the lines that are leaves already if the state is %s', async (_, text) => {
  const lab = sealLab();
  const lines = newLines(30);
  lab.write(lines.slice(0, 20));
  await (await lab.open()).end();
  writeFileSync(join(lab.settings.folder, 'private/state.json'), text);
  lab.write(lines.slice(20));
  await (await lab.open()).end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('refuses a folder on which another sealer works', async () => {
  const lab = sealLab();
  const first = await lab.open();
  const machine = lab.machine();
  const second = { ...machine, sleep: () => first.turn() };
  const { Sealer } = await import('../../../src/audit/seal/sealer.ts');
  await expect(Sealer.open(lab.settings, second)).rejects.toThrow(
    `another sealer works on ${lab.settings.folder}/private: stop it, or give this one a folder of its own`,
  );
  lab.write(newLines(1));
  await first.end();
  expect(lab.sealed().lines).toHaveLength(1);
});

test('takes over from a sealer that stands still, which then signs nothing more', async () => {
  const lab = sealLab();
  const first = await lab.open();
  await first.turn(true);
  const second = await lab.open();
  lab.write(newLines(2));
  await expect(first.turn(true)).rejects.toThrow('another sealer has taken the folder');
  await second.end();
  expect(lab.sealed().lines).toHaveLength(2);
});

test('signs nothing if another sealer has taken the folder while it stored', async () => {
  const lab = sealLab();
  let isTaken = false;
  const sealer = await lab.open({
    put(path, content, ...rest) {
      disk.put(path, content, ...rest);
      if (isTaken && path.endsWith('/state.json'))
        writeFileSync(join(lab.settings.folder, 'private/lock'), '{"id":"another"}');
    },
  });
  await sealer.turn(true);
  const before = lab.sealed().checkpoint;
  isTaken = true;
  lab.write(newLines(2));
  await expect(sealer.turn(true)).rejects.toThrow('another sealer has taken the folder');
  expect(readFileSync(join(lab.settings.folder, 'checkpoint'), 'utf8')).toBe(before);
});

test('takes over at once from a sealer whose process has ended', async () => {
  const lab = sealLab();
  await lab.open();
  const lock = join(lab.settings.folder, 'private/lock');
  const owner = JSON.parse(readFileSync(lock, 'utf8'));
  // The same number, but the kernel has given it to another process since.
  writeFileSync(lock, JSON.stringify({ ...owner, started: '1' }));
  const machine = lab.machine();
  const { Sealer } = await import('../../../src/audit/seal/sealer.ts');
  const second = await Sealer.open(lab.settings, {
    ...machine,
    sleep: () => Promise.reject(new Error('it waits')),
  });
  await second.end();
});

const refusals: readonly [string, (lab: Lab) => void, RegExp][] = [
  [
    'the origin has changed',
    (lab) => Object.assign(lab.settings, { origin: 'wiki.example.com/meshgate/gw-1' }),
    /has the origin wiki\.example\.com\/meshgate\/gw-0, and not wiki\.example\.com\/meshgate\/gw-1: give the new origin a folder/,
  ],
  [
    'the key is not there',
    (lab) => rmSync(join(lab.settings.folder, 'private/key')),
    /has a checkpoint, but its key .*\/private\/key is not there: restore the key, or begin a new log/,
  ],
  [
    'the key is not a key',
    (lab) => writeFileSync(join(lab.settings.folder, 'private/key'), '{"kty":"oct","k":"topsecret"}'),
    /the signing key .*\/private\/key cannot be used: the private key is not a JSON Web Key/,
  ],
  [
    'the key is another one',
    (lab) => {
      const other = sealLab();
      return other.open().then((sealer) => {
        copyFileSync(join(other.settings.folder, 'private/key'), join(lab.settings.folder, 'private/key'));
        return sealer.end();
      });
    },
    /checkpoint is not one of this log/,
  ],
  [
    'a tile was changed',
    (lab) => {
      const path = join(lab.settings.folder, 'tile/0/000.p/11');
      const bytes = readFileSync(path);
      bytes[40]! ^= 1;
      writeFileSync(path, bytes);
    },
    /the tiles in .* are not those of its checkpoint of 11 leaves, so nothing is signed/,
  ],
  [
    'the checkpoint was changed',
    (lab) => {
      const path = join(lab.settings.folder, 'checkpoint');
      writeFileSync(path, readFileSync(path, 'utf8').replace('\n11\n', '\n10\n'));
    },
    /checkpoint is not one of this log/,
  ],
];

test.each(refusals)('signs nothing if %s', async (_, change, message) => {
  const lab = sealLab();
  lab.write(newLines(10));
  await (await lab.open()).end();
  const path = join(lab.settings.folder, 'checkpoint');
  await change(lab);
  const before = readFileSync(path, 'utf8');
  lab.write(newLines(10));
  const error = await lab.open().catch((it: Error) => it);
  expect(error).toMatchObject({ name: 'Refused', message: expect.stringMatching(message) });
  expect(String(error)).not.toContain('topsecret');
  expect(readFileSync(path, 'utf8')).toBe(before);
  // The folder is free.
  expect(readdirSync(join(lab.settings.folder, 'private'))).not.toContain('lock');
});

describe('with the key in another folder', () => {
  const log = async () => {
    const lab = sealLab();
    const keyFolder = join(lab.folder, 'private');
    Object.assign(lab.settings, { keyFolder });
    const older = join(lab.folder, 'older');
    lab.write(newLines(10));
    await (await lab.open()).end();
    cpSync(lab.settings.folder, older, { recursive: true });
    lab.write(newLines(10));
    await (await lab.open()).end();
    return { lab, older };
  };

  test.each<[string, (lab: Lab, older: string) => void]>([
    ['is empty', ({ settings }) => rmSync(settings.folder, { recursive: true })],
    ['is another one, which is new', ({ settings }) => Object.assign(settings, { folder: `${settings.folder}-2` })],
    ['is an older copy', ({ settings }, older) => Object.assign(settings, { folder: older })],
  ])('signs nothing if the folder of the log %s', async (_, change) => {
    const { lab, older } = await log();
    const { folder } = lab.settings;
    const signed = readFileSync(join(folder, 'checkpoint'), 'utf8');
    change(lab, older);
    lab.write(newLines(10));
    await expect(lab.open()).rejects.toThrow(/private belongs to a log of 22 leaves, and .* does not have them/);
    const path = join(lab.settings.folder, 'checkpoint');
    expect(existsSync(path) ? readFileSync(path, 'utf8').split('\n')[1] : 'none').toMatch(/^(11|none)$/);
    // The log itself goes on.
    if (folder === lab.settings.folder) return;
    Object.assign(lab.settings, { folder });
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toBe(signed);
    await (await lab.open()).end();
    expect(lab.sealed().lines).toHaveLength(30);
  });
});

test('says what to do if it cannot write to its folder', async () => {
  const lab = sealLab();
  writeFileSync(lab.settings.folder, 'a file');
  await expect(lab.open()).rejects.toThrow(
    /cannot write to .*audit or .*audit\/private \(E\w+\): give them to the user of the sealer/,
  );
});

test('loses nothing while the disk is full, says so once a minute, and goes on', async () => {
  const lab = sealLab();
  const full = fullDisk();
  const sealer = await lab.open(full.disk);
  const lines = newLines(900);
  lab.write(lines.slice(0, 300));
  await sealer.turn();
  const before = lab.sealed().checkpoint;
  full.isFull = true;
  for (let turn = 0; turn < 400; turn++, lab.now += 0.2) {
    if (turn < 300) lab.write([lines[300 + turn]!]);
    await sealer.turn();
  }
  expect(lab.sealed().checkpoint).toBe(before);
  expect(
    lab.reported.filter((it) => it === 'cannot seal the log: no space left on device; the sealer keeps trying'),
  ).toHaveLength(2);
  full.isFull = false;
  lab.write(lines.slice(600));
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('prints another problem at once', async () => {
  const lab = sealLab();
  const full = fullDisk();
  const sealer = await lab.open(full.disk);
  lab.now += 2;
  await sealer.turn();
  full.isFull = true;
  lab.write(newLines(1));
  lab.now += 2;
  await sealer.turn();
  expect(lab.reported.slice(-2)).toEqual([
    `${lab.log} does not exist; the sealer keeps trying`,
    'cannot seal the log: no space left on device; the sealer keeps trying',
  ]);
  full.isFull = false;
  await sealer.end();
});

test('goes on sealing if the clock is set back an hour, and the log says so', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const lines = newLines(20);
  lab.write(lines.slice(0, 10));
  await sealer.turn();
  lab.now -= 3600;
  lab.write(lines.slice(10));
  await sealer.turn();
  await sealer.turn();
  expect(lab.sealed().lines).toEqual(lines);
  expect(lab.sealed().events).toEqual(['started', 'clock_back']);
  await sealer.end();
});

test('does not follow a log that its user may not read, says so, and goes on when it may', async () => {
  const lab = sealLab();
  let mayRead = false;
  const sealer = await lab.open({
    open(path) {
      if (!mayRead && path === lab.log) throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
      return disk.open(path);
    },
  });
  const lines = newLines(3);
  lab.write(lines);
  await sealer.turn(true);
  expect(lab.reported.at(-1)).toMatch(/permission denied; the sealer keeps trying/);
  mayRead = true;
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});

test('seals each policy of its folder once, also if the folder has very many', async () => {
  const lab = sealLab();
  for (let at = 0; at < 70; at++) {
    const text = `{"policy":${at}}`;
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
    writeFileSync(join(lab.settings.policies, `policy-${digest}.json`), text);
  }
  for (let start = 0; start < 2; start++) {
    const sealer = await lab.open();
    for (let turn = 0; turn < 3; turn++) {
      lab.write([newLine()]);
      lab.now += 1;
      await sealer.turn();
    }
    await sealer.end();
  }
  const policies = lab.sealed().entries.filter((it) => it.toString().startsWith('{"meshgate.leaf":"policy"'));
  expect(policies.length).toBe(70);
});

test('its status counts lines that nginx did not write, and its log names one each minute', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  const strange = ['{"meshgate.leaf":"key"}', 'x'.repeat(65_536)];
  lab.write([newLine(), ...strange, newLine()]);
  await sealer.turn(true);
  lab.now += 30;
  lab.write(strange);
  await sealer.end();
  expect(JSON.parse(readFileSync(join(lab.settings.folder, 'status.json'), 'utf8'))).toMatchObject({ foreign: 4 });
  expect(lab.reported.filter((it) => it.includes('nginx did not write'))).toEqual([
    'the log has lines that nginx did not write: entry 2 stands for one',
  ]);
});

test('its status says how far it is, and what keeps it from sealing', async () => {
  const lab = sealLab();
  const statusOf = () => JSON.parse(readFileSync(join(lab.settings.folder, 'status.json'), 'utf8'));
  let isFull = false;
  const sealer = await lab.open({
    put(path, content, ...rest) {
      if (isFull && !path.endsWith('status.json')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      disk.put(path, content, ...rest);
    },
  });
  const line = newLine();
  lab.write([line]);
  await sealer.turn();
  const read = line.length + 1;
  const idle = { origin: lab.settings.origin, lag_s: 0, lag_bytes: 0, foreign: 0, key_since: lab.now };
  expect(statusOf()).toEqual({ time: lab.now, size: 2, read, ...idle });
  isFull = true;
  lab.now += 10;
  lab.write([line]);
  await sealer.turn();
  lab.now += 30;
  await sealer.turn();
  expect(statusOf()).toEqual({
    ...{ time: lab.now, origin: lab.settings.origin, size: 2, read: 2 * read, lag_s: 30, lag_bytes: line.length },
    ...{ error: 'cannot seal the log: no space left', foreign: 0, key_since: idle.key_since },
  });
  isFull = false;
  lab.now += 1;
  await sealer.turn();
  lab.now += 1;
  await sealer.turn();
  expect(statusOf()).toMatchObject({ ...idle, size: 4 });
  expect(statusOf()).not.toHaveProperty('error');
  lab.now += 1;
  await sealer.end();
  expect(lab.sealed().events).toEqual(['started', 'sealing_resumed']);
});

test('removes the parts of a tile when it is full', async () => {
  const lab = sealLab();
  const sealer = await lab.open();
  for (let turn = 0; turn < 40; turn++) {
    lab.write(newLines(10));
    await sealer.turn(true);
  }
  await sealer.end();
  const { size } = readSealed(lab.settings.folder);
  expect(size).toBe(401);
  expect(readdirSync(join(lab.settings.folder, 'tile/entries')).sort()).toEqual(['000', '001.p']);
  expect(readdirSync(join(lab.settings.folder, 'tile/0')).sort()).toEqual(['000', '001.p']);
});
