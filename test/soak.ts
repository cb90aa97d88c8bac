/**
 * `make soak N=10`: runs the whole suite N times, each time in fresh containers. In every second run another process keeps
 * all cores busy. Each run appends a row to test/soak.tsv; at the end the table is printed. Exit code 1 if a run failed.
 *
 * The rows alternate over calls as well: a call after a quiet run begins with a busy one. COLD=1 removes the images and
 * the cache of built parts before the first run, so that its row has the time of a new machine. LOAD=none or LOAD=busy
 * makes all runs of a call the same.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { count, merge, type Results } from './harness/results.ts';
import { HEADER, type Load, nextLoad, type Row, rowOf, table } from './harness/soak-table.ts';

const file = 'test/soak.tsv';
const prepare = 'test/images/prepare.sh';

/** The commit, with `+` if the tree has uncommitted changes. */
function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '.', `:!${file}`) !== '';
  return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
}

/** Keeps every core busy until it is ended. */
function busyProcess(): () => void {
  const threads = `
    const { Worker } = require('node:worker_threads');
    for (let i = 0; i < ${availableParallelism()}; i++) new Worker('for (;;);', { eval: true });`;
  const busy = spawn(process.execPath, ['-e', threads], { stdio: 'ignore' });
  const end = () => void busy.kill('SIGKILL');
  process.once('exit', end);
  return end;
}

/** Runs a command; its output goes to the log, and its standard error is also shown. */
function logged(command: string, args: readonly string[], log: string, env: NodeJS.ProcessEnv): Promise<number> {
  const out = createWriteStream(log, { flags: 'a' });
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(out, { end: false });
  child.stderr.pipe(out, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  return new Promise((resolve) => child.once('close', (code) => out.end(() => resolve(code ?? 1))));
}

/** Removes images and built parts: the next run starts as on a new machine. */
function makeCold(): NodeJS.ProcessEnv {
  // A stopped engine would hide its images here and show them again to the build.
  execFileSync(prepare, ['engine'], { stdio: 'ignore' });
  const list = execFileSync('docker', ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'], { encoding: 'utf8' });
  const own = list.split('\n').filter((name) => /^(meshgate\/|debian:trixie-slim$)/.test(name));
  if (own.length > 0) execFileSync('docker', ['image', 'rm', '--force', ...own], { stdio: 'ignore' });
  const cache = mkdtempSync(join(tmpdir(), 'meshgate-cold-'));
  process.once('exit', () => {
    // Go makes the folders of its modules read-only.
    spawnSync('chmod', ['-R', 'u+w', cache]);
    rmSync(cache, { recursive: true, force: true });
  });
  return { MESHGATE_CACHE: join(cache, 'meshgate'), GOMODCACHE: join(cache, 'mod'), GOCACHE: join(cache, 'build') };
}

async function run(load: Load, cold: boolean, log: string): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-soak-'));
  const env = { ...process.env, ...(cold ? makeCold() : {}), MESHGATE_RESULTS: folder };
  const started = new Date();
  const end = load === 'busy' ? busyProcess() : () => {};
  try {
    const began = performance.now();
    const prepared = await logged(prepare, ['images'], log, env);
    const ready = performance.now();
    const code =
      prepared === 0
        ? await logged('node_modules/.bin/vitest', ['run'], log, { ...env, MESHGATE_PREPARE: '' })
        : prepared;
    const ended = performance.now();
    const files = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results);
    const results = merge(files);
    const failed = Object.entries(results).flatMap(([name, state]) => (state === 'failed' ? [name] : []));
    // A run that was interrupted has failed, whatever the results of its tests.
    if (code !== 0 && failed.length === 0) failed.push(`${prepared === 0 ? 'vitest' : prepare} ended with ${code}`);
    const { passed, skipped } = count(results);
    const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
    return {
      ...{ started, commit: commit(), parts: cold ? 'cold' : 'warm', load, prepare: seconds(began, ready) },
      ...{ suite: seconds(ready, ended), passed, failed, skipped },
    };
  } finally {
    end();
    rmSync(folder, { recursive: true, force: true });
  }
}

const runs = Number(process.argv[2] ?? '1');
const { LOAD: asked, COLD: cold } = process.env;
if (!Number.isInteger(runs) || runs < 1) {
  console.error('say how often: make soak N=10');
  process.exit(2);
}
if (asked !== undefined && asked !== '' && asked !== 'none' && asked !== 'busy') {
  console.error(`LOAD=${asked}: none or busy; without it, runs take turns`);
  process.exit(2);
}
mkdirSync('test-results', { recursive: true });
if (!existsSync(file)) writeFileSync(file, `${HEADER}\n`);
let bad = 0;
for (let i = 1; i <= runs; i++) {
  const load = (asked || nextLoad(readFileSync(file, 'utf8'))) as Load;
  const log = join('test-results', `soak-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}.log`);
  console.error(
    `soak: run ${i} of ${runs}, ${load === 'busy' ? 'all cores kept busy' : 'no other load'}; all of it in ${log}`,
  );
  const row = await run(load, i === 1 && cold === '1', log);
  appendFileSync(file, `${rowOf(row)}\n`);
  if (row.failed.length > 0) bad += 1;
  console.error(
    `soak: run ${i} of ${runs}: ${row.passed} passed, ${row.failed.length} failed in ${row.prepare + row.suite} s`,
  );
}
console.log(table(readFileSync(file, 'utf8')));
process.exitCode = bad === 0 ? 0 : 1;
