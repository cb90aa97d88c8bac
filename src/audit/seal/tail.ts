import { type Disk, folderOf, ifThere, type Stat } from './disk.ts';
import { Generation, isSamePlace, type Position, type Take } from './generation.ts';

/** An event of the file, which becomes a leaf of the log:
 * - `log_gone`: the file was deleted, or the one that was read before is not there any more
 * - `log_truncated`: the file was truncated. Lines that nginx wrote after the last read, and that are in no copy, are
 *   missing
 * - `log_dropped`: a rotated file is no longer read, because there are too many newer ones
 * - `log_reopened`: a rotated file that was closed got lines, which are read */
type TailEvent = 'log_gone' | 'log_truncated' | 'log_dropped' | 'log_reopened';

type Report = (event: TailEvent, detail: string) => void;

/** Number of rotated files that are kept open: each may still get lines from workers. */
const MAX_GENERATIONS = 32;

/** A rotated file is closed when no line came in so many looks: ten minutes at a look each 0.45 s. A count needs no clock,
 * which may be set. */
const IDLE_LOOKS = 1333;

/** A closed file is looked at once in so many looks: each half minute. Lines come if no one has told nginx to open the new
 * file, and there was no request for ten minutes. */
const CLOSED_LOOKS = 67;

/** The names that the image gives to rotated files. */
const OWN_ROTATED = /^\.\d{8}T\d{6}Z$/;

/** Rotated files that are found by their name: `access.log.1`, `access.log-20260304`. */
const ROTATED = /^[.-]\d[\d._TZ-]*$/;

/** What is known about the files when the sealer starts. */
interface Known {
  readonly positions: readonly Position[];
  /** Rotated files that changed later than this (in ms, the file system's time) may have lines that are not sealed.
   * Undefined: the log is new, and begins with the file of today. */
  readonly since: number | undefined;
  /** Returns how many bytes of a file are sealed. */
  readonly sealedBytes: (path: string) => number;
}

/** Follows the file that several workers of nginx append to, over rotations by rename and by copytruncate. It yields
 * whole lines, each one once. */
export class Tail {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #report: Report;
  /** The oldest first. */
  #files: Generation[] = [];
  #isGone = false;
  #closed: Stat[] = [];
  /** The closed files that can still get lines. */
  #left: Position[] = [];
  #looks = 0;
  /** Whether a rotated file had no bytes when it was looked at. */
  #hasEmpty = false;
  /** The files in the folder that were there at the last rotation. */
  #known = new Set<string>();
  readonly #sealedBytes: Known['sealedBytes'];

  constructor(disk: Disk, path: string, report: Report, known: Known) {
    this.#disk = disk;
    this.#path = path;
    this.#report = report;
    this.#sealedBytes = known.sealedBytes;
    this.#restore(known);
  }

  positions(): readonly Position[] {
    return [...this.#left, ...this.#files.map((file) => file.position())];
  }

  /** Bytes that are not read. */
  get behind(): number {
    return this.#files.reduce((sum, { size, at }) => sum + Math.max(0, size - at), 0);
  }

  /** Whether there is a file to read. */
  get isThere(): boolean {
    return this.#files.length > 0;
  }

  /** Looks whether the path leads to another file than before. */
  look(): void {
    const stat = ifThere(() => this.#disk.stat(this.#path));
    if (stat !== undefined && this.#files.some((file) => isSame(file, stat))) return;
    const fd = stat && ifThere(() => this.#disk.open(this.#path));
    const current = fd === undefined ? [] : [new Generation(this.#disk, fd)];
    // A copy of the new file has its lines, too: copytruncate makes it before it truncates the file.
    if (this.isThere) this.#files.push(...this.#adopt(current));
    if (stat === undefined) {
      // After a rotation by rename, the path is free until nginx opens it.
      const last = this.#files.at(-1);
      if (last === undefined || this.#isGone || last.stat().nlink > 0) return;
      this.#isGone = true;
      this.#report('log_gone', `${this.#path} was deleted`);
      return;
    }
    this.#isGone = false;
    this.#files.push(...current);
  }

  /** Opens the rotated files that came since the last time, and are not copies of one that is open. Between two looks, the
   * file may be rotated twice. A copy is looked at again: if its file is truncated before it was read, only the copy has its
   * lines. So is a file without bytes, because it may become a copy.
   * @param current a file that is open, too */
  #adopt(current: readonly Generation[] = []): readonly Generation[] {
    const siblings = this.#siblings();
    const open = [...this.#files, ...current];
    const fresh = siblings.filter(
      ({ name, stat }) =>
        ROTATED.test(name) && !this.#known.has(keyOf(stat)) && !open.some((file) => isSame(file, stat)),
    );
    this.#known = new Set(siblings.map(({ stat }) => keyOf(stat)));
    this.#hasEmpty = fresh.some(({ stat }) => stat.size === 0);
    return fresh.flatMap(({ path, stat }) => {
      const fd = ifThere(() => this.#disk.open(path));
      if (fd === undefined) return [];
      if (stat.size > 0 && !open.some((file) => file.isCopiedTo(fd)))
        return [new Generation(this.#disk, fd, this.#sealedBytes(path))];
      this.#known.delete(keyOf(stat));
      this.#disk.close(fd);
      return [];
    });
  }

  /** Reads lines until there are none, or the function returns false. Returns whether a long line has to be read on.
   * @param begin is called before the lines of each read */
  read(begin: () => void, take: Take, goOn: () => boolean): boolean {
    let isUnfinished = false;
    for (let index = 0; index < this.#files.length; index++) {
      if (index === this.#files.length - 1) this.#adoptBefore(index);
      let file = this.#files[index] as Generation;
      while (goOn() && file.hasChanged()) {
        const lines = file.read();
        isUnfinished ||= lines === 'unfinished';
        if (lines === undefined || lines === 'unfinished') break;
        if (lines === 'truncated') {
          this.#restart(file, index);
          file = this.#files[index] as Generation;
          continue;
        }
        begin();
        lines.forEach(take);
      }
    }
    this.#closeIdle(take);
    if (++this.#looks % CLOSED_LOOKS === 0) {
      if (this.#hasEmpty) this.#files.unshift(...this.#adopt());
      this.#reopenGrown();
    }
    return isUnfinished;
  }

  /** Removes the rotated files of the image that were closed. Call this when all their lines are sealed. */
  removeClosed(): void {
    const closed = this.#closed.splice(0);
    if (closed.length === 0) return;
    for (const { path, name, stat } of this.#siblings())
      if (OWN_ROTATED.test(name) && closed.some((file) => isUnchanged(file, stat)))
        ifThere(() => this.#disk.remove(path));
  }

  close(): void {
    for (const file of this.#files) file.close();
    this.#files = [];
  }

  /** The file was truncated: what was not read of it may be in a copy. */
  #restart(file: Generation, index: number): void {
    const position = file.position();
    const copy = this.#copyOf(position);
    this.#reportTruncated(position, copy?.path);
    file.rewind();
    if (copy !== undefined) this.#files.splice(index, 0, new Generation(this.#disk, copy.fd, position.at));
    this.#files.splice(index + (copy === undefined ? 0 : 1), 0, ...this.#adopt());
  }

  /** Before anything was read of the file, it may have been truncated: then a copy has its lines. */
  #adoptBefore(index: number): void {
    const file = this.#files[index] as Generation;
    if (file.at > 0 || !file.hasChanged()) return;
    const copies = this.#adopt();
    if (copies.length > 0)
      this.#report('log_truncated', `before ${this.#path} was read; its lines are read from its copy`);
    this.#files.splice(index, 0, ...copies);
  }

  #reportTruncated({ at }: Position, copy: string | undefined): void {
    const rest = copy === undefined ? 'no copy of them is in its folder' : `the rest of them is read from ${copy}`;
    this.#report('log_truncated', `after ${at} bytes of ${this.#path}; ${rest}`);
  }

  /** Opens another file that has the same bytes before the position: the longest one. */
  #copyOf(position: Position): { readonly fd: number; readonly path: string } | undefined {
    if (position.at === 0) return undefined;
    const longestFirst = [...this.#siblings()].sort((one, other) => other.stat.size - one.stat.size);
    for (const { path, stat } of longestFirst) {
      if (stat.size < position.at || this.#files.some((file) => isSame(file, stat))) continue;
      const fd = ifThere(() => this.#disk.open(path));
      if (fd === undefined) continue;
      if (isSamePlace(this.#disk, fd, position)) return { fd, path };
      this.#disk.close(fd);
    }
    return undefined;
  }

  /** The files in the same folder whose names begin with that of the file, the newest last. */
  #siblings(): readonly { readonly path: string; readonly name: string; readonly stat: Stat }[] {
    const [folder, base] = [folderOf(this.#path), this.#path.slice(this.#path.lastIndexOf('/') + 1)];
    const stem = base.replace(/\.[^.]*$/, '') || base;
    const names = ifThere(() => this.#disk.names(folder)) ?? [];
    return names
      .filter((name) => name.startsWith(stem))
      .flatMap((name) => {
        const path = `${folder}/${name}`;
        const stat = ifThere(() => this.#disk.stat(path));
        return stat?.isFile() !== true ? [] : [{ path, name: name.slice(base.length), stat }];
      })
      .sort((one, other) => one.stat.mtimeMs - other.stat.mtimeMs);
  }

  #restore({ positions, since }: Known): void {
    this.#left = positions.filter(({ closed }) => closed === true);
    const found = positions.flatMap((position) => (position.closed === true ? [] : (this.#find(position) ?? [])));
    const unknown = this.#siblings().filter(
      ({ name, stat }) =>
        since !== undefined &&
        (name === '' || (ROTATED.test(name) && stat.mtimeMs >= since)) &&
        ![...found, ...this.#left].some((file) => isSame(file, stat)),
    );
    for (const { path } of unknown) {
      const sealed = ifThere(() => this.#sealedBytes(path));
      const fd = sealed === undefined ? undefined : ifThere(() => this.#disk.open(path));
      if (fd !== undefined) found.push(new Generation(this.#disk, fd, sealed));
    }
    const current = ifThere(() => this.#disk.stat(this.#path));
    const isCurrent = (file: Generation) => current !== undefined && isSame(file, current);
    this.#files = [...found.filter((file) => !isCurrent(file)), ...found.filter(isCurrent)];
    this.#known = new Set(this.#siblings().map(({ stat }) => keyOf(stat)));
    this.#reopenGrown();
  }

  /** Opens the file of a position, also if it has another name now. */
  #find(position: Position): readonly Generation[] | undefined {
    const own = this.#siblings().find(({ stat }) => stat.ino === position.ino && stat.dev === position.dev);
    const fd = own && ifThere(() => this.#disk.open(own.path));
    if (fd !== undefined) {
      if (isSamePlace(this.#disk, fd, position)) return [new Generation(this.#disk, fd, position.at)];
      this.#disk.close(fd);
    }
    const copy = this.#copyOf(position);
    if (own !== undefined) this.#reportTruncated(position, copy?.path);
    else if (copy === undefined)
      this.#report('log_gone', `the file that was read to byte ${position.at} is not in the folder of ${this.#path}`);
    return copy && [new Generation(this.#disk, copy.fd, position.at)];
  }

  /** Opens the closed files that have grown. Those that are not in the folder any more are forgotten. */
  #reopenGrown(): void {
    if (this.#left.length === 0) return;
    const siblings = this.#siblings();
    this.#left = this.#left.filter((position) => {
      const own = siblings.find(({ stat }) => isSame(position, stat));
      if (own === undefined || own.stat.size < position.at || this.#files.some((file) => isSame(file, own.stat)))
        return false;
      if (own.stat.size === position.at || this.#files.length > MAX_GENERATIONS) return true;
      const fd = ifThere(() => this.#disk.open(own.path));
      if (fd === undefined) return false;
      if (isSamePlace(this.#disk, fd, position)) {
        this.#files.unshift(new Generation(this.#disk, fd, position.at));
        this.#report(
          'log_reopened',
          `${own.path} got lines after it was closed: does its rotation send USR1 to nginx?`,
        );
      } else this.#disk.close(fd);
      return false;
    });
  }

  /** Closes rotated files that no worker writes to any more. */
  #closeIdle(take: Take): void {
    for (const file of this.#files.slice(0, -1)) {
      const tooMany = this.#files.length > MAX_GENERATIONS;
      file.idleLooks = file.hasChanged() ? 0 : file.idleLooks + 1;
      if (!tooMany && file.idleLooks < IDLE_LOOKS) continue;
      if (file.hasChanged()) continue;
      if (tooMany) this.#report('log_dropped', `a rotated file of ${file.at} bytes`);
      // A last line without a line break gets none any more.
      const rest = file.read(true);
      if (typeof rest === 'object') rest.forEach(take);
      this.#closed.push(file.stat());
      this.#left = [...this.#left, { ...file.position(), closed: true as const }].slice(-MAX_GENERATIONS);
      file.close();
      this.#files = this.#files.filter((other) => other !== file);
    }
  }
}

const keyOf = ({ dev, ino }: Stat): string => `${dev} ${ino}`;

/** Whether a closed file is still as it was: its inode may be that of another file now. */
const isUnchanged = (before: Stat, now: Stat): boolean =>
  isSame(before, now) && before.size === now.size && before.mtimeMs === now.mtimeMs;

const isSame = (file: { readonly dev: number; readonly ino: number }, stat: Stat): boolean =>
  file.ino === stat.ino && file.dev === stat.dev;
