import fs from 'fs';
import { type Ask, systemAsk } from './http.ts';

/** The functions that the command needs from its engine. It runs on Node and, in the image, on njs's QuickJS; all
 * differences are here. */
export interface Runtime {
  readonly args: readonly string[];
  readonly env: Readonly<Partial<Record<string, string>>>;
  /** Standard output is a terminal. */
  readonly terminal: boolean;
  /** Folder of the command's own file. */
  readonly home: string;
  /** Seconds since the epoch. */
  now(): number;
  /** Prints results. */
  out(text: string): void;
  /** Prints messages. */
  err(text: string): void;
  /**
   * The bytes of a file, or of standard input for `-`.
   *
   * @throws Error with the system's code
   */
  read(path: string): Uint8Array;
  /** Paths of all files below a folder, in order; undefined if there is no folder. */
  list(path: string): readonly string[] | undefined;
  /** Replaces a file atomically, in a folder or below it; folders are made. An existing file keeps its mode. Links
   * below the folder are not followed.
   *
   * @param name with the names of folders before it, joined by `/`
   */
  write(folder: string, name: string, content: string | Uint8Array): void;
  /** Replaces a secret file atomically, readable for its owner only. An existing file keeps its mode and owner; a link
   * is replaced.
   *
   * @throws Error with the system's code, `EPERM` if the owner cannot be kept
   */
  replace(path: string, text: string): void;
  /** Makes a folder and returns its absolute path. */
  folder(path: string): string;
  isFolder(path: string): boolean;
  /** Reloads nginx's configuration.
   *
   * @param pidFile has the pid of its master
   * @returns why it failed
   */
  reload(pidFile: string): string | undefined;
  /** Sends a request; absent if the engine has no network. */
  readonly ask?: Ask;
  /** @param seconds to wait */
  sleep(seconds: number): Promise<void>;
}

/** The parts of Node's `process` that njs lacks. */
interface NodeProcess {
  readonly exit?: unknown;
  readonly kill?: (pid: number, signal: string) => void;
  exitCode?: number;
  readonly stdout?: { readonly isTTY?: boolean };
}

const node = process as unknown as NodeProcess;
const onNode = node.exit !== undefined;

/** Writes a whole text. A slow pipe may accept only a part, or on Node nothing yet. */
function writeAll(fd: number, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest as unknown as Buffer, 0, rest.length));
    } catch (error) {
      // EPIPE: the reader has closed the pipe. A pipe that is full on Node is tried again.
      if (codeOf(error) === 'EPIPE') return;
      if (codeOf(error) !== 'EAGAIN') throw error;
    }
  }
}

/** `ENOENT` and the like; undefined if it is not a system error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** Reads a stream; njs itself reads only regular files as a whole. The buffer doubles, so that a large file is not
 * copied often. */
function readStream(fd: number): Uint8Array {
  let room = new Uint8Array(65536);
  let length = 0;
  for (;;) {
    const count = fs.readSync(fd, room as unknown as Buffer, length, room.length - length, null);
    if (count === 0) return room.slice(0, length);
    length += count;
    if (length < room.length) continue;
    const larger = new Uint8Array(2 * room.length);
    larger.set(room);
    room = larger;
  }
}

function readAll(path: string): Uint8Array {
  if (path === '-') return readStream(0);
  const fd = fs.openSync(path, 'r');
  try {
    return readStream(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
}

/** A terminal is a character device. The null device is one too, which does no harm. */
function isTerminal(): boolean {
  if (onNode) return node.stdout?.isTTY === true;
  return fs.fstatSync(1).isCharacterDevice();
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Lists files recursively, which njs cannot. */
function listAll(path: string): readonly string[] | undefined {
  if (!isFolder(path)) return undefined;
  const names = (fs.readdirSync(path) as string[]).sort();
  return names.flatMap((name) => listAll(`${path}/${name}`)?.map((below) => `${name}/${below}`) ?? [name]);
}

/** Permissions and owner of an existing file. A link is not followed. */
function standing(path: string): { readonly mode: number; readonly uid: number; readonly gid: number } | undefined {
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

/** Gives a new file the owner of the file that it replaces. Only root may do that, and njs cannot. */
function keepOwner(path: string, uid: number, gid: number): void {
  const made = fs.lstatSync(path);
  if (made.uid === uid && made.gid === gid) return;
  // Another user who may write to the folder could put a link there meanwhile: what it names keeps its owner.
  const { lchownSync } = fs as unknown as { lchownSync?: (path: string, uid: number, gid: number) => void };
  if (lchownSync !== undefined) lchownSync(path, uid, gid);
  else if (made.uid !== uid) throw Object.assign(new Error('the owner cannot be kept'), { code: 'EPERM' });
}

/** Writes a file beside its place and then renames it. It is opened exclusively, so that a link that appears there
 * meanwhile makes this fail.
 *
 * @param mode of a file that does not exist yet
 * @param keepsOwner an existing file keeps its owner, or this fails
 */
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

/** A folder of that name, made if there is none. A link to a folder is not accepted. */
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

/** Waits without timers, which njs's command lacks: a second or two for a gateway's job. */
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

/** njs sends no signals. The image's wrapper sends one when it reads a line on its descriptor. */
function reload(pidFile: string): string | undefined {
  const pid = readPid(pidFile);
  const fd = process.env.MESHGATE_EXIT_FD;
  if (pid === undefined) return `${pidFile} has no pid`;
  try {
    if (node.kill !== undefined) node.kill(pid, 'SIGHUP');
    else if (fd !== undefined) fs.writeSync(Number(fd), `reload ${pid}\n`);
    else return 'this engine sends no signals';
  } catch (error) {
    return `process ${pid} accepts no signal (${codeOf(error) ?? 'why is not known'})`;
  }
  return undefined;
}

/** The functions of the engine that runs the command. */
export function systemRuntime(): Runtime {
  const ask = systemAsk();
  return {
    ...(ask && { ask }),
    args: process.argv.slice(2),
    env: process.env as Readonly<Partial<Record<string, string>>>,
    terminal: isTerminal(),
    home: folderOf(fs.realpathSync(process.argv[1] as string)),
    now: () => Date.now() / 1000,
    sleep: onNode ? (seconds) => new Promise((resolve) => void setTimeout(resolve, seconds * 1000)) : spin,
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    read: readAll,
    list: listAll,
    write: writeBelow,
    replace: (path, text) => putFile(path, text, 0o600, true),
    isFolder,
    reload,
    folder(path) {
      fs.mkdirSync(path, { recursive: true });
      return fs.realpathSync(path);
    },
  };
}

/** Ends with an exit code. njs cannot do so silently: the image's wrapper reads the code from the descriptor that
 * `MESHGATE_EXIT_FD` names. Without the wrapper a thrown error makes it 1. */
export function exit(code: number): void {
  const fd = process.env.MESHGATE_EXIT_FD;
  if (onNode) node.exitCode = code;
  else if (fd !== undefined) fs.writeSync(Number(fd), String(code));
  else if (code !== 0) throw new Error(`exit code ${code}`);
}
