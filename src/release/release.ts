/**
 * Writes a release to a folder: `node src/release/release.ts OUT`. It holds the npm package, an archive for machines without
 * npm, the bill of materials and the checksums. The same commit gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archive, type Member, sha256Hex } from './archive.ts';
import type { Bundled } from './bundled.ts';
import { sbom } from './sbom.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const text = (file: string) => readFileSync(join(root, file), 'utf8');

class Mistake extends Error {}

/** The time of the release: SOURCE_DATE_EPOCH, else the time of the commit. */
function time(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) {
    if (!/^\d{1,10}$/.test(given)) throw new Mistake(`SOURCE_DATE_EPOCH is "${given}": write seconds since 1970`);
    return Number(given);
  }
  if (run('git', 'status', '--porcelain') !== '') {
    throw new Mistake('files differ from the commit: commit them, or set SOURCE_DATE_EPOCH to seconds since 1970');
  }
  return Number(run('git', 'log', '-1', '--format=%ct'));
}

/** The files that npm packs. */
function members(): readonly Member[] {
  const [{ files }] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts'));
  return (files as { path: string }[]).map(({ path }) => member(path, path));
}

const member = (name: string, path: string): Member => ({
  name,
  content: readFileSync(join(root, path)),
  executable: (statSync(join(root, path)).mode & 0o100) !== 0,
});

/** Builds the bundles again: the libraries in them. Fails if dist/ has other files. */
function libraries(): readonly Bundled[] {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-release-'));
  try {
    const list = join(folder, 'bundled.json');
    const built = join(folder, 'dist');
    run(process.execPath, 'src/build.mjs', built, list);
    const names = new Set(
      [built, join(root, 'dist')].flatMap((it) => readdirSync(it, { recursive: true }).map(String)),
    );
    for (const name of names) {
      const [fresh, is] = [join(built, name), join(root, 'dist', name)].map((file) => hashOf(file));
      if (fresh !== is) throw new Mistake(`dist/${name} is not what src/ builds: run "make build" and commit it`);
    }
    return JSON.parse(readFileSync(list, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function hashOf(file: string): string | undefined {
  try {
    return sha256Hex(readFileSync(file));
  } catch {
    return undefined;
  }
}

async function release(out: string): Promise<void> {
  const project = JSON.parse(text('package.json'));
  const name = `${project.name}-${project.version}`;
  const seconds = time();
  const packed = members();
  const dist = packed.flatMap(({ name, content }) =>
    name.startsWith('dist/') ? [[name.slice('dist/'.length), content] as const] : [],
  );
  const files = {
    [`${name}.tgz`]: await archive('package', packed, seconds),
    [`${name}.tar.gz`]: await archive(name, [...packed, member('bin/meshgate', 'src/release/meshgate.sh')], seconds),
    [`${name}.cdx.json`]: sbom(
      project,
      Object.fromEntries(dist),
      libraries(),
      JSON.parse(text('package-lock.json')),
      seconds,
    ),
  };
  mkdirSync(out, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(out, file), content);
    console.log(join(out, file));
  }
  const sums = Object.entries(files).map(([file, content]) => `${sha256Hex(content)}  ${file}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  console.log(join(out, 'SHA256SUMS'));
}

try {
  await release(resolve(process.argv[2] ?? join(root, 'out')));
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`release: ${error.message}`);
  process.exit(1);
}
