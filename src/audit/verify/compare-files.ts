import { leafHash } from '../log/merkle.ts';
import { findAltered, requestOf } from './altered.ts';
import type { ByteLine } from './byte-lines.ts';
import { type ChangedField, changedFields } from './changed-fields.ts';
import { First, MOST } from './first.ts';
import { IN_ORDER, LATE, markLate } from './late.ts';
import { Positions, type SealedHashes, UNKNOWN } from './match-lines.ts';

/** How a line of the files differs from the sealed log. */
type Difference = 'removed' | 'altered' | 'added' | 'moved' | 'repeated' | 'cut off' | 'not sealed';

interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface LineFinding extends Place {
  readonly kind: Difference;
  /** The entry of the log; absent if the line was never sealed. */
  readonly entry?: number;
  /** Id and time of the request, as they were sealed, or as the file has them. */
  readonly id?: string;
  readonly time?: string;
  /** The fields of an altered line that differ, as far as they can be told. */
  readonly changed?: readonly ChangedField[];
}

/** Lines at the ends of files that are not sealed yet, with the place of the first one. */
interface Unsealed extends Place {
  readonly count: number;
}

export interface Compared {
  /** The first findings, in the order of the lines. */
  readonly findings: readonly LineFinding[];
  /** Number of findings that are not among them. */
  readonly more: number;
  /** Number of lines in the files. */
  readonly lines: number;
  /** Number of lines that were sealed as they are, at their place. */
  readonly sealed: number;
  /** Number of these lines that are in the order of their file, but were sealed before or after lines of another file that
   * workers wrote to at the same time. Their order among the files is not proven. */
  readonly late: number;
  /** Number of sealed lines that can be in the file before or after a part of the log, and the entries of the first ones. */
  readonly beside: number;
  readonly besideEntries: readonly number[];
  readonly unsealed?: Unsealed;
}

/** Sealing a line takes up to a second, and the log has only whole seconds. A line that is so much older than the newest
 * one, in seconds, should have been sealed. */
export const UNSEALED_S = 2;

/** At a rotation, workers write to two files at the same time. Of a part of the log, only one may be given: sealed lines of
 * so many seconds at its ends may be in the other one. A worker reopens the log after the events that it has just got, so
 * this takes less than a second on most machines. */
const BESIDE_S = 10;

/** Maximum number of these lines that are named. */
const MOST_BESIDE = 10;

/** Number of bytes of a line before the end of its time. Of a line that nginx is writing, the file may have fewer. */
const BEFORE_TIME = '{"time":"2026-03-04T10:15:02+00:00"'.length;

/** Maximum number of bytes of lines that were not sealed, which are kept to find out what they were. */
const MAX_KEPT_BYTES = 1 << 26;

/** What a kept line takes beside its bytes: a file can have any number of empty lines. */
const LINE_BYTES = 64;

const secondsOf = (time: string | undefined): number => (time === undefined ? Number.NaN : Date.parse(time) / 1000);

/** A sealed entry that is not in the files, and the line before which it is missing. */
interface Gone {
  readonly at: number;
  readonly entry: number;
}

/** Compares the lines of files with the sealed lines. The files are added in their order, each line once. */
export class Comparison {
  readonly #sealed: SealedHashes;
  readonly #entry: (index: number) => Uint8Array | undefined;
  readonly #unsealedSeconds: number;
  readonly #positions = new Positions();
  readonly #files: { readonly file: string; readonly start: number }[] = [];
  /** Lines that were never sealed, by their number in all files. */
  readonly #unknown = new Map<number, Uint8Array>();
  #keptBytes = 0;
  /** The last line without a line break, by its number in all files. */
  #unfinished = -1;
  #expected: number;
  #lastLine: Uint8Array | undefined;

  /** @param entry returns the bytes of an entry, if the log has them
   * @param unsealedSeconds how much older than the newest line a line may be that is not sealed */
  constructor(sealed: SealedHashes, entry: (index: number) => Uint8Array | undefined, unsealedSeconds: number) {
    this.#sealed = sealed;
    this.#entry = entry;
    this.#unsealedSeconds = unsealedSeconds;
    this.#expected = sealed.nextLine(0);
  }

  startFile(file: string): void {
    this.#files.push({ file, start: this.#positions.length });
  }

  /** The next line has no line break: nginx may be writing it. */
  endUnfinished(): void {
    this.#unfinished = this.#positions.length;
  }

  /** @param line its bytes may change after the call */
  add({ bytes, entry }: ByteLine): void {
    const found = this.#sealed.find(leafHash(entry), this.#expected);
    if (found === UNKNOWN && this.#keptBytes < MAX_KEPT_BYTES) {
      this.#unknown.set(this.#positions.length, bytes.slice());
      this.#keptBytes += bytes.length + LINE_BYTES;
    }
    this.#positions.push(found);
    if (found !== UNKNOWN) this.#expected = this.#sealed.nextLine(found + 1);
  }

  /** Keeps the newest line, whose time tells which lines should be sealed. */
  newest({ bytes }: ByteLine): void {
    this.#lastLine = bytes.slice();
  }

  #place(at: number): Place {
    let last = this.#files[0];
    for (const file of this.#files) if (file.start <= at) last = file;
    return { file: last?.file ?? '', line: at - (last?.start ?? 0) + 1 };
  }

  /** @param isPart whether the files are only a part of the log, so that lines before and after them are not missing */
  result(isPart: boolean): Compared {
    const findings = new First<LineFinding>();
    const { order, accounted, sealed, late } = this.#account(findings);
    const isBeside = isPart ? this.#edges(order) : () => false;
    let beside = 0;
    const besideEntries: number[] = [];
    const missingIn = (from: number, to: number): number[] => {
      const missing: number[] = [];
      for (let index = this.#sealed.nextLine(from); index < to; index = this.#sealed.nextLine(index + 1))
        if (accounted[index] === 0) missing.push(index);
      return missing;
    };
    const isGone = (entry: number): boolean => {
      if (!isBeside(entry)) return true;
      beside++;
      if (besideEntries.length < MOST_BESIDE) besideEntries.push(entry);
      return false;
    };
    const gone: Gone[] = [];
    const lose = (at: number, entries: readonly number[]): void => {
      const kept = entries.slice(0, MOST - gone.length);
      for (const entry of kept) gone.push({ at, entry });
      findings.count += entries.length - kept.length;
    };
    const strange: number[] = [];
    let [cursor, isFirst, unknown] = [0, true, [] as number[]];
    for (let at = 0; at < this.#positions.length; at++) {
      if (this.#positions.at(at) === UNKNOWN) unknown.push(at);
      if (order[at] !== IN_ORDER) continue;
      const index = this.#positions.at(at);
      const missing = isPart && isFirst ? [] : missingIn(cursor, index).filter(isGone);
      const { removed, added } = this.#pair(missing, unknown, findings);
      lose(at, removed);
      for (const line of added) strange.push(line);
      [cursor, isFirst, unknown] = [index + 1, false, []];
    }
    const missing = isPart && !isFirst && unknown.length === 0 ? [] : missingIn(cursor, this.#sealed.size);
    const { removed, added } = this.#pair(missing, unknown, findings);
    if (!isPart) lose(this.#positions.length, removed);
    for (const line of added) strange.push(line);
    const unsealed = this.#tell(order, gone, strange, findings);
    return {
      findings: findings.kept.sort((one, other) => this.#number(one) - this.#number(other)),
      more: findings.more,
      lines: this.#positions.length,
      sealed,
      late,
      beside,
      besideEntries,
      ...(unsealed && { unsealed }),
    };
  }

  #number({ file, line }: Place): number {
    return (this.#files.find((one) => one.file === file)?.start ?? 0) + line;
  }

  /** Marks the entries that are in the files, and tells the lines that are not at their place. */
  #account(findings: First<LineFinding>) {
    const order = this.#positions.inOrder();
    const accounted = new Uint8Array(this.#sealed.size);
    for (let at = 0; at < order.length; at++) if (order[at] === IN_ORDER) accounted[this.#positions.at(at)] = 1;
    const starts = this.#files.map(({ start }) => start);
    markLate(starts, this.#positions, order, accounted, (index) => this.#timeOf(index));
    let [sealed, late] = [0, 0];
    for (let at = 0; at < order.length; at++) {
      const index = this.#positions.at(at);
      if (order[at] !== 0) sealed++;
      if (order[at] === LATE) late++;
      if (order[at] !== 0 || index === UNKNOWN) continue;
      const kind = accounted[index] === 1 ? 'repeated' : 'moved';
      findings.add(() => ({ kind, ...this.#place(at), ...this.#entryOf(index) }));
      accounted[index] = 1;
    }
    return { order, accounted, sealed, late };
  }

  #entryOf(index: number): Pick<LineFinding, 'entry' | 'id' | 'time'> {
    return { entry: index, ...requestOf(this.#entry(index)) };
  }

  /** Returns the time of an entry in seconds. */
  #timeOf(index: number): number {
    return index >= 0 && index < this.#sealed.size ? secondsOf(requestOf(this.#entry(index)).time) : Number.NaN;
  }

  /** Returns a function that tells whether an entry can be in the file before the first one, or after the last one. */
  #edges(order: Uint8Array): (entry: number) => boolean {
    let [first, last] = [0, order.length - 1];
    while (order[first] === 0) first++;
    while (order[last] === 0) last--;
    if (last < 0) return () => false;
    const [start, end] = [first, last].map((at) => this.#timeOf(this.#positions.at(at))) as [number, number];
    return (entry) => {
      const time = this.#timeOf(entry);
      return time - start <= BESIDE_S || end - time <= BESIDE_S;
    };
  }

  /** Tells the entries that are missing, and the lines that were never sealed, and returns those that are not sealed yet. */
  #tell(
    order: Uint8Array,
    gone: readonly Gone[],
    strange: readonly number[],
    findings: First<LineFinding>,
  ): Unsealed | undefined {
    // A line that was altered where two files overlap is not between the neighbours of its entry.
    const { removed, added } = this.#pair(
      gone.map(({ entry }) => entry),
      strange,
      findings,
      true,
    );
    const missing = new Set(removed);
    for (const { at, entry } of gone) {
      if (!missing.has(entry)) continue;
      const kind = at === this.#positions.length ? 'cut off' : 'removed';
      findings.add(() => ({ kind, ...this.#place(at), ...this.#entryOf(entry) }));
    }
    const lastInOrder = this.#files.map(({ start }, file) => {
      let at = (this.#files[file + 1]?.start ?? order.length) - 1;
      while (at >= start && order[at] === 0) at--;
      return at;
    });
    const tail: number[] = [];
    let file = 0;
    for (const at of added) {
      while (at >= (this.#files[file + 1]?.start ?? order.length)) file++;
      if (at > (lastInOrder[file] as number)) tail.push(at);
      else findings.add(() => ({ kind: 'added', ...this.#place(at), ...requestOf(this.#unknown.get(at)) }));
    }
    return this.#unsealed(tail, findings);
  }

  /** Tells the lines that are an altered entry, and returns the others. */
  #pair(missing: readonly number[], unknown: readonly number[], findings: First<LineFinding>, byIdOnly = false) {
    const lineAt = (at: number) => this.#unknown.get(at);
    const { altered, ...others } = findAltered({ missing, unknown, lineAt, entryAt: this.#entry, byIdOnly });
    for (const { at, entry } of altered) {
      findings.add(() => {
        const changed = changedFields(this.#entry(entry), lineAt(at));
        return { kind: 'altered', ...this.#place(at), ...this.#entryOf(entry), changed };
      });
    }
    return others;
  }

  /** Tells which lines at the ends of files should have been sealed, and returns the others. */
  #unsealed(tail: readonly number[], findings: First<LineFinding>): Unsealed | undefined {
    const requests = tail.map((at) => ({ at, ...requestOf(this.#unknown.get(at)) }));
    // If the files are a part of the log, later lines may be sealed than those that they have.
    const newestSealed = requestOf(this.#entry(this.#sealed.lastLine()));
    const known = [...requests, requestOf(this.#lastLine), newestSealed];
    let newest = Number.NEGATIVE_INFINITY;
    for (const { time } of known) if (secondsOf(time) > newest) newest = secondsOf(time);
    const isFresh = (time: string | undefined) => secondsOf(time) >= newest - this.#unsealedSeconds;
    const isBegun = (at: number) => at === this.#unfinished && (this.#unknown.get(at)?.length ?? 0) < BEFORE_TIME;
    const fresh = requests.filter(({ at, time }) => isBegun(at) || isFresh(time));
    for (const { at, ...request } of requests) {
      if (isBegun(at) || isFresh(request.time)) continue;
      const isLast = at >= (this.#files.at(-1)?.start ?? 0);
      const kind = isLast && !Number.isNaN(secondsOf(request.time)) ? 'not sealed' : 'added';
      findings.add(() => ({ kind, ...this.#place(at), ...request }));
    }
    const [first] = fresh;
    return first && { ...this.#place(first.at), count: fresh.length };
  }
}
