/** The sealer as a process of its own, which is killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../harness/until.ts';
import { type Lab, newLines, readSealed, sealLab } from './seal-lab.ts';

/** Starts the sealer; a turn comes as often as the test wants. */
function start(lab: Lab, ...options: string[]) {
  return startWith(lab, [], ...options);
}

/** @param flags of the sealer */
function startWith(lab: Lab, flags: readonly string[], ...options: string[]) {
  const file = join(lab.folder, 'seal.json');
  writeFileSync(file, JSON.stringify(lab.settings));
  const child: ChildProcess = spawn(process.execPath, [...options, 'src/entries/seal.ts', file, ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let reported = '';
  child.stderr!.on('data', (text) => {
    reported += text;
  });
  child.stdin!.on('error', () => {});
  const ticks = setInterval(() => child.stdin!.write('\n'), 20);
  const ended = once(child, 'close').then(([code]) => {
    clearInterval(ticks);
    return code as number | null;
  });
  onTestFinished(() => {
    clearInterval(ticks);
    child.kill('SIGKILL');
  });
  return {
    child,
    reported: () => reported,
    says: (pattern: RegExp) =>
      until(() => pattern.test(reported), { what: `the sealer to say ${pattern}`, help: () => reported }),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
    /** Ends its input. */
    end: () => {
      clearInterval(ticks);
      child.stdin!.end();
      return ended;
    },
    ended,
  };
}

const sizeOf = (lab: Lab): number => {
  try {
    return Number(readFileSync(join(lab.settings.folder, 'checkpoint'), 'utf8').split('\n')[1]);
  } catch {
    return 0;
  }
};

const sealedMoreThan = (lab: Lab, size: number) =>
  until(() => sizeOf(lab) > size, { what: `more than ${size} leaves` });

test('seals each line once although it is killed again and again, and the log is rotated meanwhile', async () => {
  const lab = sealLab();
  const all: string[] = [];
  const writing = setInterval(() => {
    // On a busy machine, a sealer that has just started would never catch up.
    if (all.length - sizeOf(lab) > 5000) return;
    const lines = newLines(50);
    all.push(...lines);
    lab.write(lines);
    // At most 32 rotated files are read at the same time, and a slow machine has time for more.
    if (all.length % 1000 === 0 && all.length <= 20_000) renameSync(lab.log, `${lab.log}.${all.length}`);
  }, 5);
  onTestFinished(() => clearInterval(writing));
  for (let kill = 0; kill < 5; kill++) {
    const sealer = start(lab);
    await sealedMoreThan(lab, sizeOf(lab));
    await sealer.kill();
  }
  clearInterval(writing);
  const last = start(lab);
  expect(await last.end(), last.reported()).toBe(0);
  const { lines, events } = readSealed(lab.settings.folder);
  expect(lines).toHaveLength(all.length);
  expect([...lines].sort()).toEqual([...all].sort());
  expect(new Set(events)).toEqual(new Set(['started']));
});

test('a second sealer on the same folder ends, and the first one goes on', async () => {
  const lab = sealLab();
  const first = start(lab);
  await sealedMoreThan(lab, 0);
  const second = start(lab);
  expect(await second.ended).toBe(1);
  expect(second.reported()).toBe(
    `meshgate-seal: another sealer works on ${lab.settings.folder}/private: stop it, or give this one a folder of its own\n`,
  );
  const lines = newLines(5);
  lab.write(lines);
  expect(await first.end()).toBe(0);
  expect(lab.sealed().lines).toEqual(lines);
});

test('goes on when the log is deleted, when its state is lost, and when the clock is set back', async () => {
  const lab = sealLab();
  // With a witness, the key does not evolve: the first key verifies all checkpoints.
  Object.assign(lab.settings, { witnesses: [{ url: 'https://witness.example.com', key: 'witness' }] });
  const offset = join(lab.folder, 'offset');
  writeFileSync(offset, '0');
  const clock = `import fs from 'node:fs'; const now = Date.now; Date.now = () => now() + Number(fs.readFileSync(${JSON.stringify(offset)}, 'utf8'));`;
  const withClock = () => start(lab, '--import', `data:text/javascript,${encodeURIComponent(clock)}`);
  const lines = newLines(40);
  lab.write(lines.slice(0, 10));
  const first = withClock();
  await sealedMoreThan(lab, 10);
  rmSync(lab.log);
  await first.says(/log_gone: .*access\.log was deleted/);
  lab.write(lines.slice(10, 20));
  await until(() => lab.sealed().lines.length === 20, { what: 'the lines of the new file' });
  writeFileSync(offset, '-3600000');
  await first.says(/clock_back: from \S+ to \S+/);
  lab.write(lines.slice(20, 30));
  await until(() => lab.sealed().lines.length === 30, { what: 'the lines after the clock was set back' });
  await first.kill();
  rmSync(join(lab.settings.folder, 'private/state.json'));
  appendFileSync(lab.log, `${lines.slice(30).join('\n')}\n`);
  const second = withClock();
  expect(await second.end()).toBe(0);
  expect(lab.sealed().lines).toEqual(lines);
  expect(lab.sealed().events).toEqual(['started', 'log_gone', 'clock_back', 'started', 'position_lost']);
});

test.each([
  ['that it cannot read', '', /^meshgate-seal: cannot read the settings .*none\.json \(ENOENT\)/],
  ['that are not JSON', '{', /is not JSON: render it from the policy/],
  [
    'whose witnesses are no list',
    '{"log":"/x","folder":"/y","origin":"z","witnesses":"w"}',
    /witnesses or policies of another form/,
  ],
  ['without an origin', '{"log":"/x","folder":"/y"}', /has no log, folder or origin: render it from the policy/],
])('ends with settings %s, and says what is wrong', async (_, text, message) => {
  const lab = sealLab();
  const file = join(lab.folder, text === '' ? 'none.json' : 'wrong.json');
  if (text !== '') writeFileSync(file, text);
  const child = spawn(process.execPath, ['src/entries/seal.ts', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let reported = '';
  child.stderr.on('data', (it) => {
    reported += it;
  });
  const [code] = await once(child, 'close');
  expect({ code, reported }).toEqual({ code: 1, reported: expect.stringMatching(message) });
  expect(reported.trim().split('\n')).toHaveLength(1);
});

test('takes the new settings when the policy has changed them', async () => {
  const lab = sealLab();
  const sealer = start(lab);
  await sealedMoreThan(lab, 0);
  const folder = join(lab.folder, 'other');
  writeFileSync(join(lab.folder, 'seal.json'), JSON.stringify({ ...lab.settings, folder, origin: 'a/meshgate/b' }));
  await sealer.says(/the settings in .* have changed/);
  const lines = newLines(3);
  lab.write(lines);
  expect(await sealer.end()).toBe(0);
  expect(readSealed(folder).lines).toEqual(lines);
});

test.each(['log', 'folder'] as const)(
  'that was started for one %s follows no settings that name another',
  async (key) => {
    const lab = sealLab();
    const { log, folder } = lab.settings;
    const sealer = startWith(lab, ['--log', log, '--folder', folder]);
    await sealedMoreThan(lab, 0);
    const lines = newLines(3);
    lab.write(lines);
    const other = join(lab.folder, 'other');
    mkdirSync(join(other, 'keys'), { recursive: true });
    // Who can write the settings can also make a link in a folder, through which the sealer would write over a file of its own.
    const own = join(folder, 'private/key');
    const before = readFileSync(own);
    for (const name of ['checkpoint.new', 'keys/first.new', 'status.json.new']) symlinkSync(own, join(other, name));
    writeFileSync(join(lab.folder, 'seal.json'), JSON.stringify({ ...lab.settings, [key]: other }));
    expect(await sealer.ended).toBe(1);
    expect(sealer.reported()).toContain(
      `names the ${key} ${other}, and this sealer was started for ${lab.settings[key]}`,
    );
    expect(readdirSync(other).sort()).toEqual(['checkpoint.new', 'keys', 'status.json.new']);
    expect(readFileSync(own)).toEqual(before);
    expect(lab.sealed().lines).toEqual(lines);
  },
);

const WITNESS = 'witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/';
const OTHER = 'other.example.com/w+11111111+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/';
const witnesses = (...keys: readonly string[]) => keys.map((key) => ({ url: 'https://witness.example.com', key }));

test.each([
  ['no witness', [], [OTHER], 'no witness', 'other.example.com/w+11111111'],
  ['one witness', ['--witnesses', WITNESS], [], 'witness.example.com/w+0040556d', 'no witness'],
  [
    'one witness',
    ['--witnesses', WITNESS],
    [WITNESS, OTHER],
    'witness.example.com/w+0040556d',
    'other.example.com/w+11111111 and witness.example.com/w+0040556d',
  ],
] as const)(
  'that was started for %s follows no settings that name another: %o %o',
  async (_, flags, keys, own, other) => {
    const lab = sealLab();
    const { log, folder } = lab.settings;
    Object.assign(lab.settings, { witnesses: witnesses(...flags.slice(1)) });
    const sealer = startWith(lab, ['--log', log, '--folder', folder, ...flags]);
    await sealedMoreThan(lab, 0);
    writeFileSync(join(lab.folder, 'seal.json'), JSON.stringify({ ...lab.settings, witnesses: witnesses(...keys) }));
    expect(await sealer.ended).toBe(1);
    expect(sealer.reported()).toContain(
      `names ${other}, and this sealer was started for ${own}: write the keys of gateway.audit.witnesses into MESHGATE_SEAL_WITNESSES`,
    );
  },
);

test('a change of the settings is a leaf, also if it comes while no sealer runs', async () => {
  const lab = sealLab();
  await start(lab).end();
  Object.assign(lab.settings, { witnesses: witnesses(WITNESS) });
  await start(lab).end();
  const before = sizeOf(lab);
  const running = start(lab);
  await sealedMoreThan(lab, before);
  writeFileSync(join(lab.folder, 'seal.json'), JSON.stringify({ ...lab.settings, witnesses: [] }));
  await running.says(/settings_changed/);
  expect(await running.end()).toBe(0);
  const { entries, events } = lab.sealed();
  expect(events).toEqual(['started', 'started', 'settings_changed', 'started', 'started', 'settings_changed']);
  const details = entries.map((it) => JSON.parse(String(it))).filter(({ event }) => event === 'settings_changed');
  const named = `log ${lab.log}, witness.example.com/w+0040556d`;
  expect(details.map(({ detail }) => detail)).toEqual([
    `from log ${lab.log}, no witness to ${named}`,
    `from ${named} to log ${lab.log}, no witness`,
  ]);
});
