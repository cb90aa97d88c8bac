import { codeOf, type Disk, ifThere } from './disk.ts';
import { Refused } from './fatal.ts';

/* Two sealers on one folder would sign two logs. A file with a name that each sealer chooses for itself says which one
 * works. A sealer changes the file at each turn; the file of one that was killed does not change any more. */

/** Looks at the file of another sealer before it counts as dead, one second apart. It writes twice a second. */
const LOOKS = 6;

export interface Machine {
  readonly disk: Disk;
  readonly pid: number;
  /** A name that no other sealer has. */
  readonly id: string;
  /** @param seconds to wait */
  sleep(seconds: number): Promise<void>;
}

interface Owner {
  readonly id: string;
  readonly pid: number;
  /** The namespace of the pid; empty if it is not known. */
  readonly at: string;
  /** When the process started, as the kernel counts. */
  readonly started: string;
}

/** Returns the start of a process. */
function startOf(disk: Disk, pid: number): string {
  const stat = ifThere(() => Buffer.from(disk.load(`/proc/${pid}/stat`)).toString());
  return stat?.replace(/^.*\) /s, '').split(' ')[19] ?? '';
}

const namespaceOf = (disk: Disk): string => {
  const boot = ifThere(() => Buffer.from(disk.load('/proc/sys/kernel/random/boot_id')).toString().trim());
  const stat = ifThere(() => disk.stat('/proc/self/ns/pid'));
  return boot === undefined || stat === undefined ? '' : `${boot} ${stat.ino}`;
};

export class SealLock {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #own: Owner;
  #count = 0;
  /** The text of the file that this sealer has written. */
  #written: string;

  private constructor(disk: Disk, path: string, own: Owner) {
    this.#disk = disk;
    this.#path = path;
    this.#own = own;
    this.#written = this.#text();
  }

  /** Takes the folder.
   * @throws Refused if another sealer works on it */
  static async take({ disk, pid, id, sleep }: Machine, folder: string): Promise<SealLock> {
    const path = `${folder}/lock`;
    const lock = new SealLock(disk, path, { id, pid, at: namespaceOf(disk), started: startOf(disk, pid) });
    for (let seen = lock.#read(), looks = 0; seen !== undefined; looks++) {
      if (looks >= LOOKS || lock.#isDead(seen)) {
        // Of several sealers that start at once, one renames the file.
        ifThere(() => disk.rename(path, `${path}.${id}`));
        ifThere(() => disk.remove(`${path}.${id}`));
        break;
      }
      await sleep(1);
      const now = lock.#read();
      if (now !== undefined && now !== seen)
        throw new Refused(`another sealer works on ${folder}: stop it, or give this one a folder of its own`);
      seen = now;
    }
    try {
      disk.create(path, lock.#written, 0o600);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      throw new Refused(`another sealer has just started on ${folder}: stop one of them`);
    }
    return lock;
  }

  /** Says that this sealer works.
   * @throws Refused if another one has taken the folder */
  beat(): void {
    this.check();
    this.#count++;
    const text = this.#text();
    try {
      this.#disk.overwrite(this.#path, this.#written, text);
    } catch (error) {
      // It was there a moment ago.
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ECHANGED') this.check();
      throw error;
    }
    this.#written = text;
  }

  /** Returns a disk on which nothing is changed if another sealer has taken the folder. A sealer may stand still between any
   * two changes, and its successor has other files under the same names. */
  guarded(disk: Disk): Disk {
    const checked =
      <A extends readonly unknown[]>(change: (...args: A) => void) =>
      (...args: A): void => {
        this.check();
        change(...args);
      };
    return {
      ...disk,
      put: (path, content, mode, lasting) => disk.put(path, content, mode, lasting, () => this.check()),
      overwrite: checked(disk.overwrite),
      erase: checked(disk.erase),
      create: checked(disk.create),
      rename: checked(disk.rename),
      remove: checked(disk.remove),
      makeFolder: checked(disk.makeFolder),
      removeFolder: checked(disk.removeFolder),
    };
  }

  /** @throws Refused if another sealer has taken the folder, because this one was stopped for a while */
  check(): void {
    if (this.#owner(this.#read()).id !== this.#own.id)
      throw new Refused('another sealer has taken the folder while this one stood still; this one ends');
  }

  free(): void {
    if (this.#owner(this.#read()).id === this.#own.id) this.#disk.remove(this.#path);
  }

  #text(): string {
    // Always of the same length, so that it can be written over.
    return `${JSON.stringify({ ...this.#own, count: String(this.#count).padStart(12, '0') })}\n`;
  }

  #read(): string | undefined {
    return ifThere(() => Buffer.from(this.#disk.load(this.#path)).toString());
  }

  #owner(text: string | undefined): Partial<Owner> {
    try {
      return JSON.parse(text ?? '{}');
    } catch {
      return {};
    }
  }

  /** Whether the process that wrote the file has ended. Only a process of the same namespace can be known. */
  #isDead(text: string): boolean {
    const { pid = 0, at, started } = this.#owner(text);
    return at !== undefined && at !== '' && at === this.#own.at && startOf(this.#disk, pid) !== started;
  }
}
