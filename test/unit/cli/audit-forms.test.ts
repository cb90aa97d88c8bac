/**
 * Each form of a file, an entry and a tile in the folder of a log is known, or `audit verify` names it. The exceptions stand
 * here, each with its reason.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  checkpointOf,
  type Folder,
  filesOf,
  noteKey,
  requestLines,
  seal,
  signatureLine,
  tilesOf,
} from '../audit/sealed-log.ts';
import { evolved } from '../audit/tampered.ts';
import { meshgate } from './fake.ts';

const note = Buffer.from(evolved.folder.checkpoint!).toString();
const body = note.slice(0, note.indexOf('\n\n') + 1);
const folder: Folder = {
  ...evolved.folder,
  'witness/w': Buffer.from(note + signatureLine(evolved.witness, body)),
  'status.json': Buffer.from('{"time":1}'),
};
const args = ['--key', evolved.keys[0]!.vkey, '--witness', evolved.witness.vkey, '--format', 'json'];

/** What may differ, and why. */
const FREE: Readonly<Record<string, string>> = { 'status.json': 'it is for metrics alone, and no one verifies it' };

/** Verifies a folder in memory, and returns the kinds of the findings; undefined for a yes. */
async function verify(changed: Folder): Promise<string | undefined> {
  const ran = await meshgate(['audit', 'verify', '--log-folder', '/audit', ...args], { files: filesOf(changed) });
  if (ran.code === 0) return undefined;
  if (ran.out === '') return ran.err;
  return JSON.parse(ran.out)
    .findings.map((it: { kind: string; file: string }) => `${it.kind} ${it.file}`)
    .join();
}

test('the log verifies as it is', async () => {
  expect(await verify(folder)).toBeUndefined();
});

const names = Object.keys(folder);

test.each(names)(
  '%s: a change of any region, more bytes and fewer bytes are named',
  async (name) => {
    const bytes = Buffer.from(folder[name]!);
    const places = Array.from({ length: 24 }, (_, at) => Math.floor((at * (bytes.length - 1)) / 23));
    const changes: [string, Buffer][] = [...new Set(places)].map((at) => [
      `byte ${at}`,
      Buffer.concat([bytes.subarray(0, at), Buffer.of(bytes[at]! ^ 1), bytes.subarray(at + 1)]),
    ]);
    changes.push(['one more byte', Buffer.concat([bytes, Buffer.of(0)])], ['one byte fewer', bytes.subarray(0, -1)]);
    changes.push(['a line break more', Buffer.concat([bytes, Buffer.from('\n')])], ['nothing', Buffer.alloc(0)]);
    changes.push(
      ['its content twice', Buffer.concat([bytes, bytes])],
      ['32 bytes more', Buffer.concat([bytes, Buffer.alloc(32)])],
    );
    const missed: string[] = [];
    for (const [what, changed] of changes) {
      const found = await verify({ ...folder, [name]: changed });
      if ((found === undefined) !== name in FREE) missed.push(`${what}: ${found}`);
    }
    expect(missed).toEqual([]);
  },
  60_000,
);

test.each([
  'more',
  'tile/entries/000.p/5',
  'tile/0/000.p/5',
  'tile/entries/more',
  'tile/0/00',
  'tile/9x',
  'tile/more',
  'keys/7',
  'keys/more',
  'witness/more',
])('the file %s, which no checkpoint covers, is named', async (name) => {
  expect(await verify({ ...folder, [name]: Buffer.from('x') })).toContain(name);
});

test.each([
  ['tile/0/001.p/200', 'the sealer is writing it: it is after the right edge'],
  ['tile/entries/002', 'the sealer is writing it: it is after the right edge'],
  ['checkpoint.new', 'the sealer is writing it'],
  ['private/state.json', 'the folder of the sealer, which no auditor reads'],
])('the file %s is not named: %s', async (name) => {
  expect(await verify({ ...folder, [name]: Buffer.from('x') })).toBeUndefined();
});

test('an older part of a bundle is not named if it is its beginning', async () => {
  const bundle = Buffer.from(folder['tile/0/000']!);
  expect(await verify({ ...folder, 'tile/0/000.p/5': bundle.subarray(0, 5 * 32) })).toBeUndefined();
});

test('a signature of an unknown key beside that of the log is not named: C2SP demands to ignore it', async () => {
  const more = Buffer.from(note + signatureLine(noteKey('other.example.com/x'), body));
  expect(await verify({ ...folder, checkpoint: more })).toBeUndefined();
});

test('a key that signed for hours is named, unless a cosignature was verified', async () => {
  const lines = [...requestLines('long', 3), ...requestLines('later', 3, 9000)];
  const [key, witness] = [noteKey(), noteKey('witness.example.com/w', 4)];
  const { folder: sealed } = seal(lines, [key]);
  const signed = Buffer.from(sealed.checkpoint!).toString();
  const cosignature = signatureLine(witness, signed.slice(0, signed.indexOf('\n\n') + 1));
  const files = filesOf({ ...sealed, 'witness/w': Buffer.from(signed + cosignature) });
  const all = ['audit', 'verify', '--log-folder', '/audit', '--key', key.vkey];
  const alone = await meshgate(all, { files });
  expect(alone.code).toBe(0);
  expect(alone.out).toMatch(/^key 0: signed lines from 2026-\S+ to 2026-\S+, and no cosignature was verified/m);
  expect((await meshgate([...all, '--witness', witness.vkey], { files })).out).not.toContain('key 0: signed');
  const short = filesOf(seal(lines.slice(0, 3), [key]).folder);
  expect((await meshgate(all, { files: short })).out).not.toContain('key 0: signed');
});

/** Entries that the owner of the key can forge. */
const sha = '0'.repeat(64);
const forged = {
  'an unknown kind': '{"meshgate.leaf":"settings","x":1}',
  'a space': '{"meshgate.leaf": "event","event":"started","time":"2026-03-04T10:15:00Z"}',
  'another order': '{"meshgate.leaf":"event","time":"2026-03-04T10:15:00Z","event":"started"}',
  'one more member': '{"meshgate.leaf":"key","number":1,"key":"k","more":1}',
  'a member twice': '{"meshgate.leaf":"event","event":"a","event":"b","time":"x"}',
  'a missing member': '{"meshgate.leaf":"event","event":"started"}',
  'no JSON': '{"meshgate.leaf":"event"',
  'a kind that is no text': '{"meshgate.leaf":["event"],"event":"a","time":"b"}',
  'a kind of every object': '{"meshgate.leaf":"constructor"}',
  'a foreign line that is a line of nginx': '{"meshgate.leaf":"foreign","line":"{\\"time\\":1}"}',
  'a policy without its digest':
    '{"meshgate.leaf":"policy","digest":"00000000000000000000000000000000","part":1,"parts":1,"text":"{}"}',
  'the second part of no policy': `{"meshgate.leaf":"policy","digest":"${sha}","part":2,"parts":2,"text":"{}"}`,
  'the first part of a policy': `{"meshgate.leaf":"policy","digest":"${sha}","part":1,"parts":2,"text":"{}"}`,
};

test.each(Object.entries(forged))('an entry that looks like a leaf and has %s is named', async (_, entry) => {
  const key = noteKey();
  const entries = ['{"meshgate.leaf":"event","event":"started","time":"2026-03-04T10:15:00Z"}', entry];
  const files = filesOf({
    'keys/first': Buffer.from(`${key.vkey}\n`),
    ...tilesOf(entries),
    checkpoint: Buffer.from(checkpointOf(entries, [key])),
  });
  const ran = await meshgate(['audit', 'verify', '--log-folder', '/audit', '--key', key.vkey, '--format', 'json'], {
    files,
  });
  expect(ran.code, ran.out + ran.err).toBe(1);
  expect(JSON.parse(ran.out).findings).toMatchObject([{ kind: 'entry', entry: 1 }]);
});

test.each([2 ** 40, Number.MAX_SAFE_INTEGER])(
  'an unsigned checkpoint of %d entries costs no memory and no time',
  async (size) => {
    const large = Buffer.from(note.replace(/^\d+$/m, String(size)));
    expect(await verify({ ...folder, checkpoint: large })).toContain('no key of the log has signed it');
    expect(await verify({ ...folder, 'keys/0': large })).toBeDefined();
    expect(await verify({ ...folder, 'witness/w': large })).toBeDefined();
  },
);

describe('on a disk', () => {
  /** Writes the folder, with something else in place of a file. */
  function written(name: string, put: (path: string) => void): string {
    const to = mkdtempSync(join(tmpdir(), 'meshgate-forms-'));
    onTestFinished(() => rmSync(to, { recursive: true, force: true }));
    for (const [file, bytes] of Object.entries(folder)) {
      mkdirSync(dirname(join(to, file)), { recursive: true });
      if (file === name) put(join(to, file));
      else writeFileSync(join(to, file), bytes);
    }
    return to;
  }
  function run(at: string, ...logs: readonly string[]) {
    const all = ['src/entries/cli.ts', 'audit', 'verify', ...logs, '--log-folder', at, ...args];
    return spawnSync(process.execPath, all, { encoding: 'utf8', timeout: 60_000 });
  }
  const fifo = (path: string) => void spawnSync('mkfifo', [path]);
  const forms = ['checkpoint', 'keys/first', 'keys/0', 'tile/0/000', 'tile/entries/000', 'witness/w'];

  test.each(forms)('a pipe in place of %s is named, and nothing waits for its writer', (name) => {
    const { status, stdout, stderr } = run(written(name, fifo));
    expect(status, stdout + stderr).toBe(name === 'checkpoint' ? 2 : 1);
    expect(stdout + stderr).toContain('it is not a regular file');
  });

  test('a pipe in place of a file of lines is refused', () => {
    const at = written('status.json', fifo);
    const { status, stderr } = run(at, join(at, 'status.json'));
    expect([status, stderr]).toEqual([2, expect.stringContaining('it is not a regular file')]);
  });

  test('a folder in place of a tile is named; a link to the same bytes is not, because only bytes count', () => {
    const name = 'tile/0/000';
    expect(run(written(name, (path) => mkdirSync(path))).status).toBe(1);
    const linked = written(name, (path) => {
      writeFileSync(`${path}.new`, folder[name]!);
      symlinkSync(`${path}.new`, path);
    });
    expect(run(linked).status).toBe(0);
  });
});
