/**
 * `make soak N=10`: runs the whole suite N times, each time in fresh containers. In every second run another process keeps
 * all cores busy. Each run appends a row to test/soak.tsv when it begins, and replaces it at its end; after the last one
 * the table is printed. Exit code 1 if a run failed.
 *
 * The rows alternate over calls as well: a call after a quiet run begins with a busy one. COLD=1 removes the images and
 * the cache of built parts before the first run, so that its row has the time of a new machine. LOAD=none or LOAD=busy
 * makes all runs of a call the same.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyProcess } from './harness/busy.ts';
import { count, merge, type Results } from './harness/results.ts';
import { type Begun, HEADER, type Load, nextLoad, passedBefore, type Row, rowOf, table } from './harness/soak-table.ts';

const file = 'test/soak.tsv';
const prepare = 'test/images/prepare.sh';

/** The commit, with `+` if the tree has uncommitted changes. */
function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '.', `:!${file}`) !== '';
  return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
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

/** Variables that change what a run tests. */
const CHANGING =
  /^(MESHGATE_(SEED|FUZZ_MS|HUNT|CASES|PREPARE|NGINX_IMAGE|NODE_IMAGE|RESULTS|VECTORS|CRDS)|NGINX_SUITE|NGINX_VERSION|NJS_VERSION|UPDATE_GOLDEN|VITEST(_.*)?)$/;

/** With CI=true, what a machine lacks is a failure, and no snapshot is written. */
const STRICT = { CI: 'true', MESHGATE_VECTORS_REQUIRED: '1' };

/** Why a run does not count although its tests passed. */
function troubles(code: number, what: string, passed: number, before: string): string[] {
  const now = commit();
  const others = passedBefore(readFileSync(file, 'utf8'), before);
  return [
    ...(code === 0 ? [] : [`${what} ended with ${code}`]),
    ...(passed === 0 ? ['no test passed'] : []),
    ...(now === before ? [] : [`the tree was ${before} at the start and ${now} at the end`]),
    ...(others === undefined || others === passed
      ? []
      : [`${passed} tests passed, and ${others} in an earlier run of this commit`]),
  ];
}

async function run(of: Begun, cold: boolean, log: string): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-soak-'));
  const env = { ...process.env, ...STRICT, ...(cold ? makeCold() : {}), MESHGATE_RESULTS: folder };
  const busy = of.load === 'busy' ? busyProcess() : undefined;
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
    const { passed, skipped } = count(results);
    const failed = Object.entries(results).flatMap(([name, state]) => (state === 'failed' ? [name] : []));
    const unloaded = busy?.end();
    if (unloaded !== undefined) failed.push(unloaded);
    // A run that was interrupted has failed, whatever the results of its tests.
    if (failed.length === 0) failed.push(...troubles(code, prepared === 0 ? 'vitest' : prepare, passed, of.commit));
    const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
    return { ...of, prepare: seconds(began, ready), suite: seconds(ready, ended), passed, failed, skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const runs = Number(process.argv[2] ?? '1');
const { LOAD: requested, COLD: cold } = process.env;
if (!Number.isInteger(runs) || runs < 1) {
  console.error('say how often: make soak N=10');
  process.exit(2);
}
if (requested !== undefined && requested !== '' && requested !== 'none' && requested !== 'busy') {
  console.error(`LOAD=${requested}: write LOAD=none or LOAD=busy, or leave it out: then runs take turns`);
  process.exit(2);
}
const changing = Object.keys(process.env).filter((name) => CHANGING.test(name) && process.env[name] !== '');
if (changing.length > 0) {
  console.error(`unset ${changing.join(', ')}: a row stands for the whole suite as it is in this commit`);
  process.exit(2);
}
mkdirSync('test-results', { recursive: true });
if (!existsSync(file)) writeFileSync(file, `${HEADER}\n`);
let bad = 0;
for (let i = 1; i <= runs; i++) {
  const load = (requested || nextLoad(readFileSync(file, 'utf8'))) as Load;
  const log = join('test-results', `soak-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}.log`);
  console.error(
    `soak: run ${i} of ${runs}, ${load === 'busy' ? 'all cores kept busy' : 'no other load'}; all of it in ${log}`,
  );
  const isCold = i === 1 && cold === '1';
  const begun: Begun = { started: new Date(), commit: commit(), parts: isCold ? 'cold' : 'warm', load };
  const rows = readFileSync(file, 'utf8');
  // A run that is ended, by whatever signal, leaves a row that says so.
  const unended: Row = { ...begun, prepare: 0, suite: 0, passed: 0, failed: ['it was ended early'], skipped: 0 };
  writeFileSync(file, `${rows}${rowOf(unended)}\n`);
  const row = await run(begun, isCold, log);
  writeFileSync(file, `${rows}${rowOf(row)}\n`);
  if (row.failed.length > 0) bad += 1;
  console.error(
    `soak: run ${i} of ${runs}: ${row.passed} passed, ${row.failed.length} failed in ${row.prepare + row.suite} s`,
  );
}
console.log(table(readFileSync(file, 'utf8')));
process.exitCode = bad === 0 ? 0 : 1;
