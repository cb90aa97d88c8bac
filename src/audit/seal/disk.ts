import fs from 'fs';

/** What `stat` says about a file. */
export interface Stat {
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}

/** The functions of a file system that the sealer uses. Each throws an error with the system's code. */
export interface Disk {
  /** Opens a file to read it.
   * @throws Error with the code `ENOTREG` if it is no regular file: to open a pipe would wait for its writer */
  open(path: string): number;
  close(fd: number): void;
  /** Reads into a buffer, and returns the number of bytes. */
  read(fd: number, buffer: Uint8Array, length: number, position: number): number;
  statOpen(fd: number): Stat;
  stat(path: string): Stat;
  /** The same of a path that may be a link, which is not followed. */
  link(path: string): Stat & { isSymbolicLink(): boolean };
  names(folder: string): readonly string[];
  /** Reads a file, which must be a regular one as in {@link open}.
   * @throws Error with the code `EFBIG` if it has more bytes than any file of a log */
  load(path: string): Uint8Array;
  /** Writes a temporary file in the same folder, and renames it. The folder exists.
   * @param lasting whether the content must survive a failure of power, if the engine can ask for that
   * @param check is called before the file gets its name; if it throws, nothing was changed */
  put(path: string, content: Uint8Array | string, mode?: number, lasting?: boolean, check?: () => void): void;
  /** Writes over a file that exists. This works on a full disk. The file must have the expected text, so that no one writes
   * over the file of another that has taken its name meanwhile.
   * @throws Error with the code `ECHANGED` if it has another one */
  overwrite(path: string, expected: string, content: string): void;
  /** Writes spaces over the content of a file, as far as the medium lets a program do that. As {@link overwrite}. */
  erase(path: string, expected: string): void;
  /** Writes a file that does not exist. */
  create(path: string, content: string, mode: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes a folder, and the missing ones above it. An existing one stays as it is. */
  makeFolder(path: string, mode?: number): void;
  removeFolder(path: string): void;
}

/** Returns the code of the system's error, for example `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

/** Returns the result of a function, or undefined if it failed because a file or folder does not exist. */
export function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Returns the folder of a path. */
export const folderOf = (path: string): string => path.replace(/\/[^/]*$/, '') || '/';

/** Node has it, njs has not. */
const { fsyncSync } = fs as unknown as { readonly fsyncSync?: (fd: number) => void };

/** The most bytes that a file of a log can have: those of a bundle with 256 entries. */
const MAX_FILE_BYTES = 256 * (2 + 65_535);

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

/** Opens a regular file. It is looked at before, because njs cannot open a pipe without waiting for its writer. */
function openRegular(path: string): number {
  if (!fs.statSync(path).isFile()) throw failure('ENOTREG', `${path} is not a regular file`);
  return fs.openSync(path, 'r');
}

/** Reads a file.
 * @param most the most bytes that it may have
 * @throws Error with the code `ENOTREG` if it is no regular file, `EFBIG` if it has more bytes */
export function loadRegular(path: string, most = MAX_FILE_BYTES): Uint8Array {
  const fd = openRegular(path);
  try {
    // The files of the system say that they have no bytes.
    let [room, length] = [new Uint8Array(Math.min(fs.fstatSync(fd).size, most) + 1024), 0];
    for (;;) {
      const count = fs.readSync(fd, room as Buffer, length, room.length - length, null as never);
      length += count;
      if (length > most) throw failure('EFBIG', `${path} has more than ${most} bytes`);
      if (count === 0) return room.subarray(0, length);
      if (length < room.length) continue;
      const larger = new Uint8Array(2 * room.length);
      larger.set(room);
      room = larger;
    }
  } finally {
    fs.closeSync(fd);
  }
}

function writeAll(fd: number, content: Uint8Array | string, lasting = false): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes as Buffer, at, bytes.length - at);
  if (lasting) fsyncSync?.(fd);
}

function write(path: string, flags: 'w' | 'wx', content: Uint8Array | string, mode: number, lasting: boolean): void {
  const fd = fs.openSync(path, flags, mode);
  try {
    writeAll(fd, content, lasting);
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes over an open file if it still has the expected text: its name may be that of another file by now. */
function writeOver(path: string, flags: 'r+' | 'rs+', expected: string, content: string): void {
  const fd = fs.openSync(path, flags);
  try {
    const wanted = Buffer.from(expected);
    const bytes = Buffer.alloc(wanted.length + 1);
    const length = fs.readSync(fd, bytes, 0, bytes.length, 0);
    if (length !== wanted.length || Buffer.compare(bytes.subarray(0, length), wanted) !== 0)
      throw failure('ECHANGED', `${path} was changed by another process`);
    writeAll(fd, content);
  } finally {
    fs.closeSync(fd);
  }
}

/** The file system of Node, and of the command `njs`. */
export const disk: Disk = {
  open: openRegular,
  close: (fd) => fs.closeSync(fd),
  read: (fd, buffer, length, position) => fs.readSync(fd, buffer as Buffer, 0, length, position),
  statOpen: (fd) => fs.fstatSync(fd),
  stat: (path) => fs.statSync(path),
  link: (path) => fs.lstatSync(path),
  names: (folder) => fs.readdirSync(folder) as string[],
  load: (path) => loadRegular(path),
  put(path, content, mode = 0o644, lasting = true, check = undefined) {
    const beside = `${path}.new`;
    try {
      write(beside, 'w', content, mode, lasting);
      check?.();
      fs.renameSync(beside, path);
    } catch (error) {
      // On a full disk, the part that was written would take the room of others.
      ifThere(() => fs.unlinkSync(beside));
      throw error;
    }
  },
  overwrite: (path, expected, content) => writeOver(path, 'r+', expected, content),
  // Without `s`, the spaces would not reach the medium before the file is removed.
  erase: (path, expected) => writeOver(path, 'rs+', expected, ' '.repeat(expected.length)),
  create: (path, content, mode) => write(path, 'wx', content, mode, true),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  makeFolder: (path, mode = 0o755) => void fs.mkdirSync(path, { recursive: true, mode }),
  removeFolder: (path) => fs.rmdirSync(path),
};
