/** Programs of other projects accept what the sealer writes and what the command prints, and reject a changed byte. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tileReader } from '../../src/audit/log/log-reader.ts';
import { consistencyProof } from '../../src/audit/log/merkle.ts';
import { nodesOf } from '../../src/audit/log/tiles.ts';
import { filesBelow } from '../harness/container.ts';
import { bareImage, startContainer, testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { fsck, lacksTlogTools, type Record, sumdb, tlogTool } from '../harness/tlog-tools.ts';
import { requestLines, textOf } from '../unit/audit/sealed-log.ts';

/** More than 65,536 entries, so that there are three levels of tiles. */
const LINES = 66_000;
const ORIGIN = 'wiki.example.com/meshgate/gw-0';

const folder = mkdtempSync(join(tmpdir(), 'meshgate-tlog-'));
const log = join(folder, 'access.log');
const audit = join(folder, 'audit');
const lines = requestLines('tools', LINES);
const children: ChildProcess[] = [];

const run = (program: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', input: '' });

/** Appends lines to the log, and lets the sealer seal them. Returns the checkpoint. */
function seal(more: readonly string[]): string {
  appendFileSync(log, textOf(more));
  const { status, stderr } = run('dist/seal.js', join(folder, 'seal.json'));
  if (status !== 0) throw new Error(stderr);
  return readFileSync(join(audit, 'checkpoint'), 'utf8');
}

const sizeOf = (checkpoint: string): number => Number(checkpoint.split('\n')[1]);
const vkey = (): string => readFileSync(join(audit, 'keys/first'), 'utf8').trim();

/** Returns the proof that a checkpoint continues an older one, in base64. */
function growth(older: number, newer: number): string[] {
  const read = (name: string) => {
    try {
      return readFileSync(join(audit, name));
    } catch {
      return undefined;
    }
  };
  const hashes = consistencyProof(older, newer, nodesOf(newer, tileReader({ read })));
  return hashes.map((hash) => Buffer.from(hash).toString('base64'));
}

/** Runs an action while one byte of a file is another. */
function withByte<T>(name: string, at: number, action: () => T): T {
  const path = join(audit, name);
  const bytes = readFileSync(path);
  try {
    writeFileSync(
      path,
      bytes.map((byte, place) => (place === at ? byte ^ 1 : byte)),
    );
    return action();
  } finally {
    writeFileSync(path, bytes);
  }
}

/** The proof that the command prints for a line. */
function proofOf(line: string): { readonly text: string; readonly record: Record } {
  const id = /"request_id":"(\w+)"/.exec(line)![1]!;
  const { status, stdout, stderr } = run('dist/cli.js', 'audit', 'prove', id, '--log-folder', audit);
  if (status !== 0) throw new Error(stderr);
  const [head, ...note] = stdout.split('\n\n');
  const [, , index, ...proof] = head!.split('\n');
  const entry = Buffer.from(line).toString('base64');
  return {
    text: stdout,
    record: { note: note.join('\n\n'), index: Number(index!.slice('index '.length)), entry, proof },
  };
}

/** Starts a program, and returns the first match of a pattern in what it prints. */
function started(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let reported = '';
    const read = (chunk: Buffer) => {
      reported += chunk;
      const found = pattern.exec(reported)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', () => reject(new Error(`${program} ended: ${reported}`)));
  });
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server: Server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Lets a witness know a log. Its own command for this needs a module that is not always served. */
function register(database: string): void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const db = new DatabaseSync(database);
  const empty = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  db.prepare('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)').run(ORIGIN, empty);
  db.prepare('INSERT INTO key (origin, key) VALUES (?, ?)').run(ORIGIN, vkey());
  db.close();
}

describeWith(lacksTlogTools(), 'a sealed log', () => {
  let [first, checkpoint] = ['', ''];

  beforeAll(() => {
    const settings = { log, folder: audit, origin: ORIGIN, witnesses: [], policies: join(folder, 'policies') };
    mkdirSync(settings.policies);
    writeFileSync(join(folder, 'seal.json'), JSON.stringify(settings));
    first = seal(lines.slice(0, 300));
    checkpoint = seal(lines.slice(300));
    writeFileSync(join(folder, 'first.vkey'), vkey());
  });

  afterAll(() => {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  });

  test('passes the check of tessera, which rejects one changed byte', () => {
    const key = join(folder, 'first.vkey');
    expect(fsck(audit, key)).toContain(`Successfully fsck'd log with size ${sizeOf(checkpoint)}`);
    for (const [name, at] of [
      ['tile/0/100', 40],
      ['tile/1/000', 40],
      ['tile/entries/200', 40],
      ['checkpoint', 40],
    ] as const)
      expect(
        withByte(name, at, () => fsck(audit, key)),
        name,
      ).toContain('fsck failed');
  });

  test('passes the same check over HTTP, from an nginx that publishes it as the guide says, without the key', async () => {
    const at = join(folder, 'published');
    const settings = {
      log: `${at}.log`,
      folder: at,
      origin: ORIGIN,
      witnesses: [],
      policies: join(folder, 'policies'),
    };
    writeFileSync(settings.log, textOf(lines.slice(0, 300)));
    writeFileSync(`${at}.json`, JSON.stringify(settings));
    expect(run('dist/seal.js', `${at}.json`).status).toBe(0);
    const guide = readFileSync('docs/custody.md', 'utf8').split('### Publish the log')[1]!;
    const server = /```nginx\n([\s\S]*?)```/.exec(guide)![1]!;
    const { host } = await startContainer(await testStage('tlog'), {
      image: bareImage,
      alias: 'published',
      files: {
        ...filesBelow(at, '/var/lib/meshgate/audit'),
        '/etc/nginx/nginx.conf': `error_log stderr notice; events {} http { ${server} }`,
      },
      ready: /start worker process \d/,
    });
    const url = `http://${host}:8090`;
    const key = join(at, 'keys/first');
    expect(fsck(url, key)).toContain("Successfully fsck'd log with size 301");
    const status = async (path: string) => (await fetch(`${url}/${path}`)).status;
    expect(await status('keys/first')).toBe(200);
    expect(existsSync(join(at, 'private/key'))).toBe(true);
    for (const path of ['private/key', 'tile/..%2fprivate/key', 'private/', 'status.json', 'lock', ''])
      expect(await status(path), path).toBe(404);
  });

  test("opens with Go's sumdb/note, whose tlog accepts the proofs and rejects changed ones", () => {
    const proofs = [0, 65_535, LINES - 1].map((at) => proofOf(lines[at]!).record);
    const grown = { older: first, newer: checkpoint, proof: growth(sizeOf(first), sizeOf(checkpoint)) };
    expect(sumdb(vkey(), proofs, [grown])).toEqual([]);
    const [record] = proofs as [Record];
    const other = Buffer.from(record.proof[3]!, 'base64').map((byte, at) => (at === 9 ? byte ^ 1 : byte));
    const wrong: Record[] = [
      { ...record, proof: record.proof.with(3, Buffer.from(other).toString('base64')) },
      { ...record, index: record.index + 1 },
      { ...record, entry: Buffer.from(`${lines[0]} `).toString('base64') },
      { ...record, note: record.note.replace(/\n(\d)/, (_, digit) => `\n${(Number(digit) % 9) + 1}`) },
    ];
    const reported = sumdb(vkey(), wrong, [{ ...grown, proof: grown.proof.slice(1) }]);
    expect(reported.map((line) => line.split(':')[0])).toEqual([
      'record 0',
      'record 1',
      'record 2',
      'record 3',
      'growth 0',
    ]);
  });

  test('is cosigned by litewitness, and the command verifies the cosignature', async () => {
    const [socket, database, port] = [join(folder, 'agent'), join(folder, 'witness.db'), await freePort()];
    const fingerprint = await started(tlogTool('tlog'), ['agent', socket], /^(SHA256:\S+)/);
    const name = 'witness.example.com/w';
    const listen = `127.0.0.1:${port}`;
    const flags = ['-name', name, '-db', database, '-ssh-agent', socket, '-key', fingerprint, '-listen', listen];
    const witness = await started(tlogTool('litewitness'), flags, /vkey=(\S+)[\s\S]*listening/);
    register(database);
    const ask = async (old: number, note: string, proof: readonly string[] = []) => {
      const body = `${[`old ${old}`, ...proof].join('\n')}\n\n${note}`;
      const answer = await fetch(`http://${listen}/add-checkpoint`, { method: 'POST', body });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await ask(0, first)).status).toBe(200);
    const proof = growth(sizeOf(first), sizeOf(checkpoint));
    expect((await ask(sizeOf(first), checkpoint, proof.toReversed())).status).toBe(422);
    const forged = `${checkpoint.slice(0, -9)}${checkpoint.at(-9) === 'A' ? 'B' : 'A'}${checkpoint.slice(-8)}`;
    expect((await ask(sizeOf(first), forged, proof)).status).toBe(403);
    const { status, text } = await ask(sizeOf(first), checkpoint, proof);
    expect([status, text]).toEqual([200, expect.stringMatching(/^\u2014 witness\.example\.com\/w \S+\n$/)]);

    mkdirSync(join(audit, 'witness'), { recursive: true });
    writeFileSync(join(audit, 'witness/w'), checkpoint + text);
    const key = ['--key', vkey(), '--witness', witness];
    const verified = run('dist/cli.js', 'audit', 'verify', log, '--log-folder', audit, ...key);
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    expect(verified.stdout).toContain(`witness ${name}: saw ${sizeOf(checkpoint)} entries at `);
    writeFileSync(join(folder, 'proof'), proofOf(lines[7]!).text);
    const checked = run('dist/cli.js', 'audit', 'check', join(folder, 'proof'), ...key);
    expect([checked.status, checked.stdout]).toEqual([
      0,
      expect.stringContaining(`witness ${name} had seen this log at `),
    ]);
  });
});
