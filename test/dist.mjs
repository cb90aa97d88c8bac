// dist/ is committed: it must be exactly what src/ builds, and within its size budget.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes. The gateway's bundle is loaded into every JavaScript context, so its size is memory. The sign-in's bundle has
 * the texts of its pages, and is in few contexts. */
const budget = {
  'meshgate.js': 199 * 1024,
  'hop.js': 81 * 1024,
  'signin.js': 244 * 1024,
  'client.js': 38 * 1024,
  'health.js': 80 * 1024,
  'cookies.js': 3 * 1024,
  'counts.js': 4 * 1024,
  'seal.js': 56 * 1024,
  'apikey_auth.js': 1024,
  // The probe is a part of a ConfigMap, which holds 1 MiB.
  'status.js': 83 * 1024,
  'cli.js': 1720 * 1024,
  'migrate.js': 735 * 1024,
};

const out = mkdtempSync(join(tmpdir(), 'meshgate-dist-'));
const built = spawnSync(process.execPath, ['src/build.mjs', out], { stdio: ['ignore', 'ignore', 'inherit'] });
let failed = built.status !== 0;

/** @param {string} folder */
function filesOf(folder) {
  const names = readdirSync(folder, { recursive: true }).map(String);
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name))]));
}
const [is, wanted] = [filesOf('dist'), filesOf(out)];
for (const name of new Set([...is.keys(), ...wanted.keys()])) {
  if (wanted.get(name)?.equals(is.get(name) ?? Buffer.alloc(0))) continue;
  console.error(`dist/${name} is not what src/ builds: run "make build" and commit it`);
  failed = true;
}
for (const [name, limit] of Object.entries(budget)) {
  const fresh = readFileSync(join(out, name));
  if (fresh.length > limit) {
    console.error(`dist/${name} is ${fresh.length} bytes, over its budget of ${limit}`);
    failed = true;
  }
  console.log(`dist/${name} ${(fresh.length / 1024).toFixed(1)} KB of ${limit / 1024} KB`);
}
rmSync(out, { recursive: true });
process.exit(failed ? 1 : 0);
