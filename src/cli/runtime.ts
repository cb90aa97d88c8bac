import fs from 'fs';
import { type Ask, systemAsk } from './http.ts';

/** What the command needs of its engine. It runs on Node and, in the image, on njs's QuickJS; all that differs is here. */
export interface Runtime {
  readonly args: readonly string[];
  readonly env: Readonly<Partial<Record<string, string>>>;
  /** Standard output is a terminal. */
  readonly terminal: boolean;
  /** Folder that the command's own file lies in. */
  readonly home: string;
  /** Seconds since the epoch. */
  now(): number;
  /** Results. */
  out(text: string): void;
  /** Talk. */
  err(text: string): void;
  /**
   * The bytes of a file, or of standard input for `-`.
   *
   * @throws Error with the system's code
   */
  read(path: string): Uint8Array;
  /** Paths below a folder of all files in it, in order; undefined where there is no folder. */
  list(path: string): readonly string[] | undefined;
  /**
   * Puts a file in place at once, in a folder or in one below it, which is made. One that is there keeps its mode. Links
   * below the folder are not followed.
   *
   * @param name with the names of folders before it, joined by `/`
   */
  write(folder: string, name: string, content: string | Uint8Array): void;
  /**
   * Puts a secret file in place at once, for its owner alone; one that is there keeps its mode and owner, and a link
   * goes.
   *
   * @throws Error with the system's code, `EPERM` where the owner cannot be kept
   */
  replace(path: string, text: string): void;
  /** Makes a folder, and says its absolute path. */
  folder(path: string): string;
  isFolder(path: string): boolean;
  /**
   * Has nginx load its configuration again.
   *
   * @param pidFile has the pid of its master
   * @returns why not
   */
  reload(pidFile: string): string | undefined;
  /** Sends a request; absent where the engine has no network. */
  readonly ask?: Ask;
  /** @param seconds to wait */
  sleep(seconds: number): Promise<void>;
}

/** What Node has of `process` and njs lacks. */
interface NodeProcess {
  readonly exit?: unknown;
  readonly kill?: (pid: number, signal: string) => void;
  exitCode?: number;
  readonly stdout?: { readonly isTTY?: boolean };
}

const node = process as unknown as NodeProcess;
const onNode = node.exit !== undefined;

/** Writes all of a text: a slow pipe may take a part, or on Node nothing yet. */
function writeAll(fd: number, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest as unknown as Buffer, 0, rest.length));
    } catch (error) {
      // Nobody reads on: nothing more to say. A pipe that is full on Node is tried again.
      if (codeOf(error) === 'EPIPE') return;
      if (codeOf(error) !== 'EAGAIN') throw error;
    }
  }
}

/** `ENOENT` and the like; of what is no system error, nothing. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** njs reads only regular files at once. The room doubles, so that a large file is not copied over and over. */
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

/** A terminal is a character device; that the null device is one too does no harm. */
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

/** njs has no `recursive`. */
function listAll(path: string): readonly string[] | undefined {
  if (!isFolder(path)) return undefined;
  const names = (fs.readdirSync(path) as string[]).sort();
  return names.flatMap((name) => listAll(`${path}/${name}`)?.map((below) => `${name}/${below}`) ?? [name]);
}

/** Permissions and owner of a file that is there. What a link leads to is another file. */
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

/** Gives a new file the owner of the one whose place it takes. Only root may give one away, and njs's command cannot. */
function keepOwner(path: string, uid: number, gid: number): void {
  const made = fs.lstatSync(path);
  if (made.uid === uid && made.gid === gid) return;
  // Somebody who may write to the folder could lay a link there meanwhile: what it names keeps its owner.
  const { lchownSync } = fs as unknown as { lchownSync?: (path: string, uid: number, gid: number) => void };
  if (lchownSync !== undefined) lchownSync(path, uid, gid);
  else if (made.uid !== uid) throw Object.assign(new Error('the owner cannot be kept'), { code: 'EPERM' });
}

/**
 * Makes a file beside its place, and puts it there at once. It is opened exclusively: a link that somebody lays there
 * meanwhile makes this fail.
 *
 * @param mode of a file that is not there yet
 * @param keepsOwner a file that is there keeps its owner, or this fails
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

/** A folder of that name, made where there is none; never one that a link leads to. */
function ownFolder(path: string): string {
  try {
    fs.mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const stat = fs.lstatSync(path);
  if (stat.isDirectory()) return path;
  const code = stat.isSymbolicLink() ? 'ELOOP' : 'ENOTDIR';
  throw Object.assign(new Error(`${path} is a link, or no folder`), { code });
}

function writeBelow(folder: string, name: string, content: string | Uint8Array): void {
  const parts = name.split('/');
  const file = parts.pop() as string;
  putFile(`${parts.reduce((path, part) => ownFolder(`${path}/${part}`), folder)}/${file}`, content, 0o666);
}

/** njs's command has no timers. Who waits there waits for a gateway's job, a second or two. */
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

/** njs sends no signals: the image's wrapper does, where a line on its descriptor says so. */
function reload(pidFile: string): string | undefined {
  const pid = readPid(pidFile);
  const fd = process.env.MESHGATE_EXIT_FD;
  if (pid === undefined) return `${pidFile} has no pid`;
  try {
    if (node.kill !== undefined) node.kill(pid, 'SIGHUP');
    else if (fd !== undefined) fs.writeSync(Number(fd), `reload ${pid}\n`);
    else return 'this engine sends no signals';
  } catch (error) {
    return `process ${pid} takes no signal (${codeOf(error) ?? 'why is not known'})`;
  }
  return undefined;
}

/** The engine that runs us. */
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

/**
 * Ends with an exit code. njs has no silent way to: the image's wrapper reads the code from a descriptor that it names
 * in `MESHGATE_EXIT_FD`; without the wrapper a throw makes it 1.
 */
export function exit(code: number): void {
  const fd = process.env.MESHGATE_EXIT_FD;
  if (onNode) node.exitCode = code;
  else if (fd !== undefined) fs.writeSync(Number(fd), String(code));
  else if (code !== 0) throw new Error(`exit code ${code}`);
}
