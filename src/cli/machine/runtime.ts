import fs from 'fs';
import { loadRegular } from '../../audit/seal/disk.ts';
import type { FileLook } from '../../health/files.ts';
import { followParts, type HeldFile, holdFile, readAll, readChunks } from './chunks.ts';
import { type InDns, systemDns } from './dns.ts';
import { type Ask, systemAsk } from './http.ts';
import { type Sealing, systemSealing } from './sealing.ts';

/** The functions that the command needs from its engine. The command runs on Node and, in the image, on njs's QuickJS.
 * All differences between the two are in this file. */
export interface Runtime {
  readonly args: readonly string[];
  readonly env: Readonly<Partial<Record<string, string>>>;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** The folder that contains the command's own file. */
  readonly home: string;
  /** Loads migrate.js, which lies beside the command's own file. */
  readonly migration: () => Promise<typeof import('../../migrate/index.ts')>;
  /** Returns the seconds since the epoch. */
  now(): number;
  /** Prints results to standard output. */
  out(text: string): void;
  /** Prints messages to standard error. */
  err(text: string): void;
  /** Reads the bytes of a file, or of standard input if the path is `-`.
   * @throws Error with the system's code */
  read(path: string): Uint8Array;
  /** Reads the bytes of a regular file of a log. Nothing else is opened, because to open a pipe waits for its writer.
   * @throws Error with the system's code; `ENOTREG` for another kind of file, `EFBIG` if it has too many bytes */
  load(path: string): Uint8Array;
  /** Reads a file in chunks, so that its size does not matter; `-` is standard input, and names in `.gz` are decompressed.
   * @throws Error with the system's code; `ENOZIP` if the engine cannot decompress */
  chunks(path: string): AsyncIterable<Uint8Array>;
  /** Opens a file of the log as it is now, see {@link holdFile}.
   * @throws Error with the system's code */
  hold(path: string): HeldFile;
  /** Reads what is appended to a file, see {@link followParts}; absent if the engine has no timers. */
  readonly follow?: (path: string) => AsyncIterable<AsyncIterable<Uint8Array>>;
  /** Reads a file with its permissions, as the health check of the gateway does. */
  look(path: string): FileLook;
  /** Lists the paths of all files below a folder, sorted; undefined if the folder does not exist. */
  list(path: string): readonly string[] | undefined;
  /** Lists the names in a folder, sorted by their bytes; empty if there is no such folder.
   * @throws Error with the system's code */
  names(path: string): readonly string[];
  /** Replaces a file atomically, and makes the folders that are missing. An existing file keeps its mode. Links below
   * the folder are not followed.
   * @param name path of the file within the folder */
  write(folder: string, name: string, content: string | Uint8Array): void;
  /** Reads a file below a folder; undefined if there is no regular file, or a part of its path is a link. */
  readBelow(folder: string, name: string): Uint8Array | undefined;
  /** Removes a file below a folder. */
  remove(folder: string, name: string): void;
  /** Replaces a secret file atomically. A new file can be read only by its owner; an existing file keeps its mode and
   * owner. A link is replaced.
   * @throws Error with the system's code, `EPERM` if the owner cannot be kept */
  replace(path: string, text: string): void;
  /** Makes a folder and returns its absolute path. */
  folder(path: string): string;
  isFolder(path: string): boolean;
  /** Whether a file is in the folder of another one, or below it, after all links are followed.
   * @throws Error with the system's code */
  isBeside(file: string, path: string): boolean;
  /** Makes nginx reload its configuration. `pidFile` has the pid of its master. Returns why this failed. */
  reload(pidFile: string): string | undefined;
  /** Sends a request; absent if the engine cannot send requests. */
  readonly ask?: Ask;
  /** Asks DNS for a name; absent if the engine has no DNS client. */
  readonly inDns?: InDns;
  /** @param seconds to wait */
  sleep(seconds: number): Promise<void>;
  /** What the sealer needs; absent if the engine has no timers. */
  readonly sealing?: Sealing;
}

/** The parts of Node's `process` that njs does not have. */
interface NodeProcess {
  readonly exit?: unknown;
  readonly kill?: (pid: number, signal: string) => void;
  exitCode?: number;
  readonly stdout?: { readonly isTTY?: boolean };
}

const node = process as unknown as NodeProcess;
const onNode = node.exit !== undefined;

/** Writes the whole text. One write to a slow pipe can accept only a part, or on Node nothing. */
function writeAll(fd: number, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest as unknown as Buffer, 0, rest.length));
    } catch (error) {
      // EPIPE means that the reader has closed the pipe. On Node, a write to a full pipe is tried again.
      if (codeOf(error) === 'EPIPE') return;
      if (codeOf(error) !== 'EAGAIN') throw error;
    }
  }
}

/** Returns the system's error code, such as `ENOENT`; undefined if it is not a system error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** Returns the first folder on the way to a file that this user may not enter. */
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

function lookAt(path: string): FileLook {
  try {
    const { mode, nlink, uid } = fs.statSync(path);
    return { mode, links: nlink, owner: uid, text: fs.readFileSync(path, 'utf8') };
  } catch (error) {
    const code = codeOf(error) ?? 'not a regular file';
    const closed = code === 'EACCES' ? closedFolder(path) : undefined;
    return { code, ...(closed !== undefined && { closed }) };
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
}

/** Whether standard output is a terminal. On njs, the null device counts as a terminal too, which does no harm. */
const isTerminal = (): boolean => (onNode ? node.stdout?.isTTY === true : fs.fstatSync(1).isCharacterDevice());

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Makes a folder and the missing ones above it. Node's own recursion never ends below a folder that exists and accepts
 * no folders, such as /proc. */
function makeFolders(path: string): void {
  try {
    fs.mkdirSync(path);
  } catch (error) {
    if (isFolder(path)) return;
    const above = folderOf(path);
    if (codeOf(error) !== 'ENOENT' || isFolder(above)) throw error;
    makeFolders(above);
    makeFolders(path);
  }
}

/** Lists files in all subfolders. njs has no function for this. */
function listAll(path: string): readonly string[] | undefined {
  if (!isFolder(path)) return undefined;
  const names = [...(fs.readdirSync(path) as string[])].sort();
  return names.flatMap((name) => listAll(`${path}/${name}`)?.map((below) => `${name}/${below}`) ?? [name]);
}

/** Lists the names in one folder. njs returns a list that cannot be sorted in place. */
function namesIn(path: string): readonly string[] {
  try {
    return [...(fs.readdirSync(path) as string[])].sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Returns permissions and owner of an existing file. A link is not followed. */
function standing(path: string) {
  try {
    const stat = fs.lstatSync(path);
    return stat.isSymbolicLink() ? undefined : { mode: stat.mode & 0o777, uid: stat.uid, gid: stat.gid };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Gives a new file the owner of the file that it replaces. Only root may do that, and njs has no function for it. */
function keepOwner(path: string, uid: number, gid: number): void {
  const made = fs.lstatSync(path);
  if (made.uid === uid && made.gid === gid) return;
  // Another user who may write to the folder could replace the file by a link. `lchown` does not change the owner of
  // the link's target.
  const { lchownSync } = fs as unknown as { lchownSync?: (path: string, uid: number, gid: number) => void };
  if (lchownSync !== undefined) lchownSync(path, uid, gid);
  else if (made.uid !== uid) throw Object.assign(new Error('the owner cannot be kept'), { code: 'EPERM' });
}

/** Writes a temporary file in the same folder and then renames it. The file is opened exclusively: if another process
 * puts a link there, the write fails.
 * @param mode permissions of a new file
 * @param keepsOwner whether an existing file must keep its owner; if that is not possible, the write fails */
function putFile(path: string, content: string | Uint8Array, mode: number, keepsOwner = false): void {
  const beside = `${path}.new`;
  remove(beside);
  const before = standing(path);
  fs.writeFileSync(beside, content as string, { mode: before?.mode ?? mode, flag: 'wx' });
  try {
    if (keepsOwner && before !== undefined) keepOwner(beside, before.uid, before.gid);
    fs.renameSync(beside, path);
  } catch (error) {
    remove(beside);
    throw error;
  }
}

/** Makes a folder if it does not exist, and returns its path. A link to a folder is rejected. */
function ownFolder(path: string): string {
  try {
    fs.mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const stat = fs.lstatSync(path);
  if (stat.isDirectory()) return path;
  const code = stat.isSymbolicLink() ? 'ELOOP' : 'ENOTDIR';
  throw Object.assign(new Error(`${path} is a link, or not a folder`), { code });
}

function writeBelow(folder: string, name: string, content: string | Uint8Array): void {
  const parts = name.split('/');
  const file = parts.pop() as string;
  putFile(`${parts.reduce((path, part) => ownFolder(`${path}/${part}`), folder)}/${file}`, content, 0o666);
}

/** Whether a path below a folder leads to a regular file without passing a link. */
function isPlainFile(folder: string, name: string): boolean {
  const parts = name.split('/');
  return parts.every((_, index) => {
    try {
      const stat = fs.lstatSync(`${folder}/${parts.slice(0, index + 1).join('/')}`);
      return index === parts.length - 1 ? stat.isFile() : stat.isDirectory();
    } catch {
      return false;
    }
  });
}

/** The links of a mounted ConfigMap lead from its folder to a folder below it. */
const isBeside = (file: string, path: string): boolean =>
  fs.realpathSync(path).startsWith(`${fs.realpathSync(folderOf(file)).replace(/\/$/, '')}/`);

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

/** Waits in a loop, because njs has no timers. A command waits only a second or two, for a job of the gateway. */
async function spin(seconds: number): Promise<void> {
  for (const until = Date.now() + seconds * 1000; Date.now() < until; ) fs.statSync('/');
}

function readPid(pidFile: string): number | undefined {
  try {
    const text = fs.readFileSync(pidFile, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Asks the image's wrapper to reload nginx, because njs cannot send signals. The wrapper sends the signal when it
 * reads a line on its descriptor. */
function reload(pidFile: string): string | undefined {
  const pid = readPid(pidFile);
  const fd = process.env.MESHGATE_EXIT_FD;
  if (pid === undefined) return `${pidFile} has no pid`;
  try {
    if (node.kill !== undefined) node.kill(pid, 'SIGHUP');
    else if (fd !== undefined) fs.writeSync(Number(fd), `reload ${pid}\n`);
    else return 'this engine cannot send signals';
  } catch (error) {
    return `process ${pid} accepts no signal (${codeOf(error) ?? 'the cause is unknown'})`;
  }
  return undefined;
}

/** Returns the functions of the engine that runs the command. */
export function systemRuntime(): Runtime {
  const [ask, inDns, sealing] = [systemAsk(), systemDns(), systemSealing()];
  const home = folderOf(fs.realpathSync(process.argv[1] as string));
  return {
    ...(ask && { ask }),
    ...(inDns && { inDns }),
    ...(sealing && { sealing }),
    args: process.argv.slice(2),
    env: process.env as Readonly<Partial<Record<string, string>>>,
    terminal: isTerminal(),
    home,
    async migration() {
      try {
        // njs needs the whole path, and fails with an error that Buffer.from([…]) left, unless another replaces it.
        throw new Error();
      } catch {
        return import(`${onNode ? '.' : home}/migrate.js`);
      }
    },
    now: () => Date.now() / 1000,
    sleep: onNode ? pause : spin,
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    read: readAll,
    load: (path) => loadRegular(path),
    chunks: readChunks,
    hold: holdFile,
    ...(onNode && { follow: (path: string) => followParts(path, (ms) => pause(ms / 1000)) }),
    look: lookAt,
    list: listAll,
    names: namesIn,
    write: writeBelow,
    readBelow: (folder, name) => (isPlainFile(folder, name) ? readAll(`${folder}/${name}`) : undefined),
    remove: (folder, name) => remove(`${folder}/${name}`),
    replace: (path, text) => putFile(path, text, 0o600, true),
    isFolder,
    isBeside,
    reload,
    folder(path) {
      makeFolders(path);
      return fs.realpathSync(path);
    },
  };
}

/** Ends the process with an exit code. njs cannot do so without a message. So the command writes the code to the
 * descriptor that `MESHGATE_EXIT_FD` names, and the image's wrapper reads it there. Without the wrapper, a thrown error
 * makes the code 1. njs would print this error, so standard error is closed first: everything is said. */
export function exit(code: number): void {
  const fd = process.env.MESHGATE_EXIT_FD;
  if (onNode) node.exitCode = code;
  else if (fd !== undefined) fs.writeSync(Number(fd), String(code));
  else if (code !== 0) {
    fs.closeSync(2);
    throw new Error(`exit code ${code}`);
  }
}
