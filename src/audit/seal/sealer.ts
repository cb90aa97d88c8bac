import { signCheckpoint } from '../log/checkpoint.ts';
import { isClaimed, readSealerLeaf, sealerEntry } from '../log/leaf.ts';
import { base64, sameBytes } from '../log/malformed.ts';
import { formatVkey } from '../log/note.ts';
import { TILE_WIDTH } from '../log/tiles.ts';
import { codeOf } from './disk.ts';
import { Refused } from './fatal.ts';
import type { GrowingTree, WrittenTile } from './growing-tree.ts';
import { type Machine, SealLock } from './lock.ts';
import { LogFolder, type State } from './log-folder.ts';
import { FIRST_KEY, keyLeaf, lastOf, makeNext, namedKey, type OwnKey, openKey, takeNext } from './log-key.ts';
import { logDisk } from './open-log.ts';
import { NewPolicies } from './policy-leaves.ts';
import { ReportedProblems } from './reported-problems.ts';
import { type Restored, restore } from './restore.ts';
import { sealedBytes } from './resume.ts';
import { type SealSettings, settingsText } from './settings.ts';
import { Tail } from './tail.ts';

export interface SealMachine extends Machine {
  /** Returns ms since the epoch. */
  now(): number;
  /** Prints a line to standard error. */
  say(text: string): void;
}

/** Least time between two checkpoints, in ms. A turn comes each 450 ms, so there is one each second while lines come. */
const INTERVAL = 850;

/** If so many bytes are not stored, they are stored at once. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** How often status.json is written: at most, and if nothing changes, in ms. */
const STATUS_INTERVAL = 1000;
const IDLE_INTERVAL = 10_000;

/** The time of a file may be a little older than the write, in ms. */
const MTIME_TOLERANCE = 2000;

/** Milliseconds that a clock is set back without a leaf saying so. */
const CLOCK_TOLERANCE = 2000;

/** How long a key signs, in seconds, if there is no witness. */
const KEY_INTERVAL = 3600;

/** What is being stored, and then signed. If a step fails, it is done again. */
interface Growth {
  readonly tiles: readonly WrittenTile[];
  /** Absent if the state of this tree is stored, or lost. */
  readonly state?: State;
  readonly size: number;
  readonly root: Uint8Array;
  /** The key that the last leaf names. It signs the later checkpoints. */
  readonly next?: OwnKey;
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Seals the lines of one file: grows the Merkle log, and signs its checkpoints. */
export class Sealer {
  readonly #settings: SealSettings;
  readonly #machine: SealMachine;
  readonly #folder: LogFolder;
  readonly #lock: SealLock;
  #key: OwnKey;
  readonly #tree: GrowingTree;
  readonly #tail: Tail;
  readonly #policies: NewPolicies;
  /** Events that are not leaves yet. */
  #events: Uint8Array[] = [];
  #growth: Growth | undefined;
  /** Leaves that the newest checkpoint covers. */
  #sealed: number;
  /** Leaves whose tiles are stored. */
  #stored: number;
  /** Bytes of lines that were read, and of those that are not sealed. */
  #read = 0;
  #waiting = 0;
  #waitingSince: number | undefined;
  /** Lines that nginx did not write. */
  #foreign = 0;
  #now = 0;
  #lastSeal = 0;
  #status = { text: '', time: 0 };
  #problem: string | undefined;
  /** Why the last leaves could not be stored or signed. */
  #failure: string | undefined;
  readonly #reported = new ReportedProblems();

  /** Opens the log, and makes it if it does not exist.
   * @throws Refused */
  static async open(settings: SealSettings, given: SealMachine): Promise<Sealer> {
    const privatePath = settings.keyFolder ?? `${settings.folder}/private`;
    let lock: SealLock;
    try {
      given.disk.makeFolder(`${settings.folder}/keys`);
      given.disk.makeFolder(privatePath, 0o700);
      lock = await SealLock.take(given, privatePath);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      throw new Refused(
        `cannot write to ${settings.folder} or ${privatePath} (${codeOf(error)}): give them to the user of the sealer`,
      );
    }
    const machine = { ...given, disk: lock.guarded(given.disk) };
    const folder = new LogFolder(machine.disk, settings.folder, privatePath);
    try {
      const isNew = folder.load(FIRST_KEY) === undefined;
      const key = await openKey(machine.disk, folder, settings.origin, seconds(machine.now()));
      if (isNew) machine.say(`a new log; this key verifies it: ${formatVkey(key.signer.key)}`);
      const restored = await restore(folder, key);
      folder.removeAfter(restored.tree.size);
      const sealer = new Sealer(settings, machine, folder, lock, key, restored);
      await sealer.#resumeEvolution();
      return sealer;
    } catch (error) {
      lock.free();
      throw error;
    }
  }

  private constructor(
    settings: SealSettings,
    machine: SealMachine,
    folder: LogFolder,
    lock: SealLock,
    key: OwnKey,
    { tree, state, sealed, isLost }: Restored,
  ) {
    this.#settings = settings;
    this.#machine = machine;
    this.#folder = folder;
    this.#lock = lock;
    this.#key = key;
    this.#tree = tree;
    this.#sealed = sealed;
    this.#stored = tree.size;
    this.#policies = new NewPolicies(machine.disk, settings, state?.policies ?? [], machine.say);
    this.#now = machine.now();
    this.#event('started', `${tree.size} leaves`);
    const described = settingsText(settings);
    if ((state?.settings ?? described) !== described)
      this.#event('settings_changed', `from ${state?.settings} to ${described}`);
    if (isLost) this.#event('position_lost', 'the lines that are leaves already are skipped');
    const hashes = (index: number) =>
      folder.readTile({ level: 0, index, width: Math.min(TILE_WIDTH, this.#stored - index * TILE_WIDTH) });
    const changed = isLost ? folder.changed(FIRST_KEY) : state && folder.stateChanged();
    const logs = logDisk(machine.disk, { log: settings.log, privatePath: folder.privatePath });
    this.#tail = new Tail(logs, settings.log, (event, detail) => this.#event(event, detail), {
      positions: state?.positions ?? [],
      since: changed && changed - MTIME_TOLERANCE,
      sealedBytes: (path) => sealedBytes(logs, path, { size: this.#stored, hashes }),
    });
  }

  /** Seals what nginx has written since the last turn. A problem with a file is printed, and does not end the sealer.
   * @param last seals also if the last checkpoint is not a second old
   * @throws Refused if another sealer has taken the folder */
  async turn(last = false): Promise<void> {
    this.#readClock();
    this.#lock.beat();
    try {
      // Also while nothing can be stored: each rotated file has to be open before it is removed.
      this.#tail.look();
      if (this.#growth !== undefined) await this.#store();
      for (let isMore = true; isMore; ) {
        // There may be much to read, and a file that is rotated twice meanwhile has no name by which it is found.
        this.#tail.look();
        isMore = this.#readLines(last);
        if ((isMore || last || this.#isDue()) && this.#tree.size !== this.#sealed) await this.#seal();
      }
      this.#problem = this.#tail.isThere ? undefined : `${this.#settings.log} does not exist`;
      if (this.#isKeyOld()) await this.#evolve();
    } catch (error) {
      if (error instanceof Refused) throw error;
      this.#failure = `cannot seal the log: ${(error as Error).message}`;
      this.#problem = this.#failure;
    }
    if (this.#problem !== undefined && this.#reported.isDue(this.#problem, this.#now / 1000))
      this.#machine.say(`${this.#problem}; the sealer keeps trying`);
    this.#putStatus();
  }

  /** Seals the last lines, and frees the folder. */
  async end(): Promise<void> {
    await this.turn(true);
    this.#tail.close();
    this.#lock.free();
  }

  #readClock(): void {
    const now = this.#machine.now();
    if (now < this.#now - CLOCK_TOLERANCE)
      this.#event('clock_back', `from ${new Date(this.#now).toISOString()} to ${new Date(now).toISOString()}`);
    this.#now = now;
  }

  /** Whether the time has come. After the clock was set back, it has. */
  #isPast(since: number, interval: number): boolean {
    return this.#now - since >= interval || this.#now < since;
  }

  #isDue(): boolean {
    return this.#isPast(this.#lastSeal, INTERVAL);
  }

  #event(event: string, detail: string): void {
    const time = new Date(this.#now).toISOString();
    this.#events.push(sealerEntry({ kind: 'event', event, time, detail }));
    if (event !== 'started') this.#machine.say(`${event}: ${detail}`);
  }

  #add(entry: Uint8Array): void {
    this.#waitingSince ??= this.#now;
    this.#waiting += entry.length;
    this.#tree.append(entry);
  }

  /** Reads lines, and returns whether it has stopped because so many are not stored.
   * @param last also if it has stopped within a long line */
  #readLines(last: boolean): boolean {
    this.#addPolicies();
    const isUnfinished = this.#tail.read(
      () => this.#addPolicies(),
      (entry, bytes) => {
        this.#read += bytes;
        if (isClaimed(entry)) this.#addForeign();
        this.#add(entry);
      },
      () => this.#waiting < MAX_WAITING_BYTES,
    );
    this.#addEvents();
    return (last && isUnfinished) || this.#waiting >= MAX_WAITING_BYTES;
  }

  #addForeign(): void {
    this.#foreign += 1;
    const problem = 'the log has lines that nginx did not write';
    if (this.#reported.isDue(problem, this.#now / 1000))
      this.#machine.say(`${problem}: entry ${this.#tree.size} stands for one`);
  }

  #addEvents(): void {
    for (const entry of this.#events.splice(0)) this.#add(entry);
  }

  /** Adds policies that are new to the log. The lines that were decided by them come later. */
  #addPolicies(): void {
    this.#addEvents();
    for (const entry of this.#policies.entries()) this.#add(entry);
  }

  #isKeyOld(): boolean {
    const { witnesses = [], keyInterval = KEY_INTERVAL } = this.#settings;
    return witnesses.length === 0 && this.#isPast(this.#key.since * 1000, keyInterval * 1000);
  }

  /** Makes the next key, and lets the present one sign its last checkpoint. */
  async #evolve(): Promise<void> {
    let next: OwnKey;
    try {
      next = await makeNext(this.#machine.disk, this.#folder, this.#key, seconds(this.#now));
    } catch (error) {
      // The present key goes on, and lines are sealed.
      this.#problem = `cannot make the next key: ${(error as Error).message}`;
      return;
    }
    this.#add(keyLeaf(next));
    await this.#seal(next);
  }

  /** Goes on if the sealer was killed after the last leaf had named the next key. */
  async #resumeEvolution(): Promise<void> {
    const { size } = this.#tree;
    const last = this.#folder.lastEntry(size);
    if (last === undefined) return;
    const next = await namedKey(this.#folder, this.#settings.origin);
    if (next !== undefined && sameBytes(keyLeaf(next), last)) {
      this.#growth = { tiles: [], size, root: this.#tree.root(), next };
      return;
    }
    const leaf = readSealerLeaf(last);
    if (leaf?.kind === 'key' && leaf.number > this.#key.number)
      this.#event('next_key_lost', `the private key ${leaf.number} is not there; key ${this.#key.number} goes on`);
  }

  async #seal(next?: OwnKey): Promise<void> {
    const root = this.#tree.root();
    const { size } = this.#tree;
    const state = {
      ...{ size, root: base64(root), positions: this.#tail.positions(), policies: this.#policies.known },
      settings: settingsText(this.#settings),
    };
    this.#growth = { tiles: this.#tree.written(), state, size, root, ...(next && { next }) };
    await this.#store();
  }

  /** Stores the tiles, then the state, then the checkpoint. The sealer may be killed at any time: what a checkpoint
   * covers is stored, and a later start goes on from it. */
  async #store(): Promise<void> {
    const { tiles, state, size, root, next } = this.#growth as Growth;
    this.#lock.beat();
    this.#folder.putTiles(tiles);
    this.#stored = size;
    if (state !== undefined) this.#folder.putState(state);
    const { signer, number } = this.#key;
    const note = await signCheckpoint({ origin: this.#settings.origin, size, root }, signer);
    this.#folder.put('checkpoint', note);
    if (next !== undefined) {
      this.#folder.put(lastOf(number), note);
      takeNext(this.#machine.disk, this.#folder, signer.key, next.signer.key);
      this.#key = next;
    }
    if (this.#settings.removeRotated) this.#tail.removeClosed();
    this.#growth = undefined;
    this.#sealed = size;
    this.#lastSeal = this.#now;
    this.#waiting = 0;
    this.#waitingSince = undefined;
    if (this.#failure !== undefined) this.#event('sealing_resumed', `after: ${this.#failure}`);
    this.#failure = undefined;
  }

  #putStatus(): void {
    const status = {
      origin: this.#settings.origin,
      size: this.#sealed,
      read: this.#read,
      lag_s: this.#waitingSince === undefined ? 0 : Math.max(0, this.#now - this.#waitingSince) / 1000,
      lag_bytes: this.#tail.behind + this.#waiting,
      foreign: this.#foreign,
      key_since: this.#key.since,
      ...(this.#problem !== undefined && { error: this.#problem }),
    };
    const text = JSON.stringify(status);
    if (!this.#isPast(this.#status.time, text === this.#status.text ? IDLE_INTERVAL : STATUS_INTERVAL)) return;
    try {
      this.#folder.putStatus({ time: Math.floor(this.#now / 1000), ...status });
      this.#status = { text, time: this.#now };
    } catch (error) {
      if (error instanceof Refused) throw error;
      // The problem that keeps it from being written is printed.
    }
  }
}
