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
  open(path: string): number;
  close(fd: number): void;
  /** Reads into a buffer, and returns the number of bytes. */
  read(fd: number, buffer: Uint8Array, length: number, position: number): number;
  statOpen(fd: number): Stat;
  stat(path: string): Stat;
  /** The same of a path that may be a link, which is not followed. */
  link(path: string): Stat & { isSymbolicLink(): boolean };
  names(folder: string): readonly string[];
  load(path: string): Uint8Array;
  /** Writes a temporary file in the same folder, and renames it. The folder exists.
   * @param lasting whether the content must survive a failure of power, if the engine can ask for that */
  put(path: string, content: Uint8Array | string, mode?: number, lasting?: boolean): void;
  /** Writes over the beginning of a file that exists. This works on a full disk. */
  overwrite(path: string, content: string): void;
  /** Writes spaces over the content of a file, as far as the medium lets a program do that. */
  erase(path: string, length: number): void;
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

function write(
  path: string,
  flags: 'w' | 'wx' | 'r+' | 'rs+',
  content: Uint8Array | string,
  mode: number,
  lasting = false,
): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const fd = fs.openSync(path, flags, mode);
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes as Buffer, at, bytes.length - at);
    if (lasting) fsyncSync?.(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** The file system of Node, and of the command `njs`. */
export const disk: Disk = {
  open: (path) => fs.openSync(path, 'r'),
  close: (fd) => fs.closeSync(fd),
  read: (fd, buffer, length, position) => fs.readSync(fd, buffer as Buffer, 0, length, position),
  statOpen: (fd) => fs.fstatSync(fd),
  stat: (path) => fs.statSync(path),
  link: (path) => fs.lstatSync(path),
  names: (folder) => fs.readdirSync(folder) as string[],
  load: (path) => fs.readFileSync(path),
  put(path, content, mode = 0o644, lasting = true) {
    const beside = `${path}.new`;
    try {
      write(beside, 'w', content, mode, lasting);
      fs.renameSync(beside, path);
    } catch (error) {
      // On a full disk, the part that was written would take the room of others.
      ifThere(() => fs.unlinkSync(beside));
      throw error;
    }
  },
  overwrite: (path, content) => write(path, 'r+', content, 0o600),
  // Without `s`, the spaces would not reach the medium before the file is removed.
  erase: (path, length) => write(path, 'rs+', ' '.repeat(length), 0o600),
  create: (path, content, mode) => write(path, 'wx', content, mode, true),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  makeFolder: (path, mode = 0o755) => void fs.mkdirSync(path, { recursive: true, mode }),
  removeFolder: (path) => fs.rmdirSync(path),
};
