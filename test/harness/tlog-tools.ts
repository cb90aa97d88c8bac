import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacking } from './needs.ts';

/** Programs of other projects that check a sealed log, built from their Go modules. They run on this machine. */

const { MESHGATE_CACHE, XDG_CACHE_HOME } = process.env;
const FOLDER = join(MESHGATE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshgate'), 'mesh');
const BUILD = fileURLToPath(new URL('../mesh/go/build.sh', import.meta.url));

const folder = execFileSync(BUILD, ['tlog-path', FOLDER], { encoding: 'utf8' }).trim();

/** The path of one of the programs. */
export const tlogTool = (name: 'fsck' | 'litewitness' | 'tlog'): string => join(folder, name);

/** What tests with these programs lack, in one line, for `describeWith`; undefined: nothing. */
export function lacksTlogTools(): string | undefined {
  if (existsSync(tlogTool('fsck'))) return undefined;
  return lacking(`no ${folder}: test/images/prepare.sh tlog makes it, or says what it lacks`);
}

/** Checks a log with fsck of tessera: a folder, or a URL. Returns its words. Its exit code is always 0. A worker of it ends at
 * the first error, and without another one it would wait for ever.
 * @param keyFile a file with the verifier key of the log */
export function fsck(log: string, keyFile: string): string {
  const url = /^https?:/.test(log) ? log : `file://${log}`;
  const args = ['--storage_url', `${url}/`, '--public_key', keyFile, '--ui=false', '--logtostderr', '-N=4'];
  const { status, stderr } = spawnSync(tlogTool('fsck'), args, { encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? stderr : `exit code ${status}: ${stderr}`;
}

/** A line of the log, and a proof that it is in the tree of a signed checkpoint. */
export interface Record {
  readonly note: string;
  readonly index: number;
  /** In base64. */
  readonly entry: string;
  readonly proof: readonly string[];
}

/** Two signed checkpoints, and a proof that the newer one continues the older one. */
export interface Growth {
  readonly older: string;
  readonly newer: string;
  readonly proof: readonly string[];
}

/** Checks notes and proofs with golang.org/x/mod/sumdb. Returns what is wrong. */
export function sumdb(vkey: string, records: readonly Record[], growths: readonly Growth[] = []): readonly string[] {
  const input = JSON.stringify({ Vkey: vkey, Records: records, Growths: growths });
  const reported = execFileSync(tlogTool('tlog'), ['check'], { input, encoding: 'utf8' });
  return reported.split('\n').filter((line) => line !== '');
}
