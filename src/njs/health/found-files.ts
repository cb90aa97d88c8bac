import fs from 'fs';
import { composed } from '../../base/composed-key.ts';
import { FILE_READ_AGAIN_S, isRepeated } from '../../base/limits.ts';
import {
  examine,
  type FileLook,
  type FileState,
  fileLine,
  isFatal,
  pauseAfter,
  problemOf,
} from '../../health/files.ts';
import type { MonitoredFile } from '../../health/types.ts';
import { emptyErrorQueue } from '../keys/openssl.ts';
import { svidsDict } from '../shared/dicts.ts';

/** What the dict has about a file. */
interface Kept {
  /** The versions of the files that were read; empty if they must be read again. */
  readonly seen: string;
  readonly at: number;
  readonly state: FileState;
  readonly reported?: { readonly reason: string; readonly at: number };
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? 'not a regular file';

const keyOf = ({ kind, name, path }: MonitoredFile): string => composed('file', kind, name, path);

/** Returns the first folder on the way to a file that this process may not enter. */
function closedFolder(path: string): string | undefined {
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
    try {
      fs.accessSync(path.slice(0, end), fs.constants.X_OK);
    } catch (error) {
      if (codeOf(error) === 'EACCES') return path.slice(0, end);
    }
  }
  return undefined;
}

function look(path: string): FileLook {
  try {
    const { mode, nlink } = fs.statSync(path);
    return { mode, links: nlink, text: fs.readFileSync(path, 'utf8') };
  } catch (error) {
    const code = codeOf(error);
    const closed = code === 'EACCES' ? closedFolder(path) : undefined;
    return { code, ...(closed !== undefined && { closed }) };
  }
}

/** Whether nginx's master process runs as the user of this worker, as in the image. Otherwise only the master reads the
 * certificates of listeners, and perhaps other ones than those of the policy. */
function readsListeners(): boolean {
  try {
    return fs.statSync(`/proc/${process.ppid}`).uid === fs.statSync('/proc/self').uid;
  } catch {
    return false;
  }
}

function versionOf({ path, keyPath = path }: MonitoredFile): string {
  try {
    return [path, keyPath]
      .map((one) => fs.statSync(one))
      .map((it) => [it.ino, it.size, it.mtimeMs, it.mode, it.nlink])
      .join(' ');
  } catch {
    return '';
  }
}

const parse = (text: string | undefined): Kept | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as Kept);

/** Returns the state of a file that the job has found; undefined if it was not read yet. */
export const foundOf = (file: MonitoredFile): FileState | undefined => parse(svidsDict().get(keyOf(file)))?.state;

/** Reads a file if it has changed, or after a minute, because a key can expire. A file with a problem is read in each
 * run. */
async function current(file: MonitoredFile, before: Kept | undefined, now: number): Promise<Kept> {
  const seen = versionOf(file);
  if (before !== undefined && seen !== '' && before.seen === seen && now - before.at < FILE_READ_AGAIN_S) return before;
  const read = await examine(file, look, now);
  // A worker need not read the policy: it needs only what is rendered from it.
  const state = file.kind === 'policy' ? { ...(read.remark && { remark: read.remark }) } : read;
  if (state.fault !== undefined) await emptyErrorQueue();
  const reported = before?.reported && { reported: before.reported };
  return { seen: state.fault === undefined ? seen : '', at: now, state, ...reported };
}

/** Checks the files of the policy. It stores the results for all workers, and logs each problem in one line. */
export async function watchFiles(files: readonly MonitoredFile[]): Promise<void> {
  const dict = svidsDict();
  const listeners = readsListeners();
  for (const file of files) {
    if (file.kind === 'listener' && !listeners) continue;
    const now = Date.now() / 1000;
    const before = parse(dict.get(keyOf(file)));
    const found = await current(file, before, now);
    const problem = problemOf(file, found.state, now);
    const { reported } = found;
    // The image says once at its start which files are exposed.
    const isDue =
      problem !== undefined &&
      problem.reason !== 'file_exposed' &&
      !(reported?.reason === problem.reason && isRepeated(reported.at, now, pauseAfter(problem)));
    if (isDue) ngx.log(isFatal(file, problem) ? ngx.ERR : ngx.WARN, `meshgate: ${fileLine(file, problem)}`);
    const after = isDue ? { ...found, reported: { reason: problem.reason, at: now } } : found;
    if (after !== before) dict.set(keyOf(file), JSON.stringify(after));
  }
}
