/**
 * `make fuzz`: runs properties, or hunts, from fresh seeds until the time is over, and stores each counterexample in
 * test/cases.jsonl. Exit code 1 if there was one.
 *
 * MINUTES: how long, 5 if it is not said. PART: `unit` (the properties of unit tests, if it is not said), `gateway` or
 * `security` (those on real nginx), `mesh` (the hunts), or more of a path (`test/unit/token`).
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROJECTS = ['unit', 'gateway', 'security', 'mesh'];
/** One property is searched for this time, so that no test exceeds its time-out. */
const LONGEST_MS = 10_000;
/** A busy machine needs more time. */
const TIMEOUT_MS = '600000';
/** vitest runs this many files at once. */
const WORKERS = 3;

const minutes = Number(process.env.MINUTES || 5);
const part = process.env.PART || 'unit';
if (!(minutes > 0)) fail(`MINUTES=${process.env.MINUTES}: write a number of minutes, for example MINUTES=5`);

/** Test files with properties or hunts, by the number of their properties. A hunt takes as long as it needs. */
const files = new Map(
  globSync(`test/{${PROJECTS}}/**/*.test.ts`).flatMap((file): [string, number][] => {
    const text = readFileSync(file, 'utf8');
    const count = file.startsWith('test/mesh/') ? +/\bhunted\(/.test(text) : text.split(/\bholds\(/).length - 1;
    const isQueried = PROJECTS.includes(part) ? file.startsWith(`test/${part}/`) : file.includes(part);
    return isQueried && count > 0 ? [[file, count]] : [];
  }),
);
if (files.size === 0) fail(`no file of test/ with a property or a hunt has ${part} in its path`);

const count = [...files.values()].reduce((sum, one) => sum + one, 0);
const end = Date.now() + minutes * 60_000;
let rounds = 0;
let isRed = false;
while (rounds === 0 || Date.now() < end) {
  rounds += 1;
  const seed = randomBytes(6).toString('hex');
  const searchMs = Math.ceil(Math.min(LONGEST_MS, (Math.max(0, end - Date.now()) * WORKERS) / count));
  console.log(`round ${rounds} of ${part}, seed ${seed}: ${count} properties or hunts in ${files.size} files`);
  const { status } = spawnSync(
    process.execPath,
    [vitest(), 'run', '--testTimeout', TIMEOUT_MS, '--reporter', reporter(), ...files.keys()],
    {
      stdio: 'inherit',
      env: { ...process.env, MESHGATE_SEED: seed, MESHGATE_FUZZ_MS: String(searchMs) },
    },
  );
  isRed ||= status !== 0;
}
console.log(
  isRed
    ? 'make fuzz found something: repair each FOUND above, and commit it with its case; FAILED alone is a test that fails, or a stored case'
    : `nothing found in ${rounds} rounds`,
);
process.exitCode = isRed ? 1 : 0;

function vitest(): string {
  return fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
}

function reporter(): string {
  return fileURLToPath(new URL('reporter.ts', import.meta.url));
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
