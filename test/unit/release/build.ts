/** Releases that tests look at. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';

export const PROJECT = JSON.parse(readFileSync('package.json', 'utf8'));
export const NAME = `meshgate-${PROJECT.version}`;
export const SECONDS = 1_790_000_000;

/** The files and folders that a release is made from. */
const SOURCES =
  'package.json package-lock.json .npmrc README.md LICENSE CHANGELOG.md SECURITY.md conf.d dist docs nginx src';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a folder. */
export function run(folder: string, env: Readonly<Record<string, string>>, ...command: string[]): Promise<Ran> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    execFile(program, args, { cwd: folder, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** An empty folder; its path has no links. */
export const emptyFolder = () => realpathSync(mkdtempSync(join(tmpdir(), 'meshgate-release-test-')));
export const remove = (folder: string) => rmSync(folder, { recursive: true, force: true });

/** Copies the project with other permissions and times. */
export function copyOf(folder: string, umask: string, time: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('sh', [
    '-ec',
    `umask ${umask}; cp -r ${SOURCES} "$1"; find "$1" -exec touch -d "${time}" {} +`,
    'sh',
    folder,
  ]);
  symlinkSync(realpathSync('node_modules'), join(folder, 'node_modules'));
}

/** Makes a release of a copy. */
export const release = (folder: string, out: string, env: Readonly<Record<string, string>> = {}) =>
  run(folder, { SOURCE_DATE_EPOCH: String(SECONDS), ...env }, process.execPath, 'src/release/release.ts', out);

export interface Unpacked {
  readonly name: string;
  readonly content: Buffer;
  readonly mode: number | undefined;
  readonly time: number | undefined;
  readonly owner: string;
}

/** The members of an archive, in its order, without the folder at its top. */
export async function unpack(file: string): Promise<readonly Unpacked[]> {
  const tar = extract();
  tar.end(gunzipSync(readFileSync(file)));
  const members: Unpacked[] = [];
  for await (const entry of tar) {
    const { name, mode, mtime, uid, gid, uname, gname } = entry.header;
    members.push({
      name: name.slice(name.indexOf('/') + 1),
      content: await buffer(entry),
      mode,
      time: mtime && mtime.getTime() / 1000,
      owner: `${uid} ${gid} ${uname} ${gname}`,
    });
  }
  return members;
}

/** Writes the members of an archive below a folder, as `tar` does. */
export function install(archive: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']);
}

/** Copies one file, and makes its folder. */
export function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
