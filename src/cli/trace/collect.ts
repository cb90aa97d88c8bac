import { linesOf, MAX_LINE_BYTES } from '../../audit/lines/split-lines.ts';
import { WrongUse } from '../common/context.ts';
import { reasonOf } from '../common/load.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';
import type { Hop, Place, Reading } from './hop.ts';
import { linesIn, readLine } from './read.ts';

/** A file of logs, and the place whose log it is; absent: a collector put the logs of several places into it. */
export interface Source {
  readonly file: string;
  readonly place?: Place;
}

/** What is known about the lines of one place, so that a missing hop can be explained. */
export interface Sampled {
  /** The number of lines that were looked at. */
  lines: number;
  /** How many of them have a trace id. */
  traced: number;
  /** How many of them have a request id. */
  requested: number;
  /** The formats of the lines. */
  readonly formats: Set<string>;
}

/** The hops with one of the ids, and how the logs look. */
export interface Collected {
  readonly hops: readonly Hop[];
  readonly sampled: ReadonlyMap<Place, Sampled>;
  /** Whether lines were left out because there were too many. */
  readonly cut: boolean;
  /** Whether standard input would have to be read a second time, because an id was found after it. */
  readonly missed: boolean;
  /** Notes about lines that were too long, see {@link longNote}. */
  readonly notes: readonly string[];
}

/** Says that lines were too long to be read; nothing if there are none. */
export const longNote = (file: string, long: number): readonly string[] =>
  long === 0
    ? []
    : [`${file}: ${long} ${long === 1 ? 'line is' : 'lines are'} longer than ${MAX_LINE_BYTES} bytes and not read`];

/** Maximum number of hops that are kept. */
const MOST_HOPS = 500;

/** How many lines at the beginning of each file are read, beside those with an id. */
const SAMPLE = 1000;

/** Calls a function with each line of a file.
 * @returns how many lines were left out because they are too long */
export async function eachLine(runtime: Runtime, file: string, take: (line: string, number: number) => void) {
  let long = 0;
  try {
    for await (const { text, number } of linesOf(file, runtime.chunks(file)))
      if (text === undefined) long++;
      else take(text, number);
    return long;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new WrongUse(`cannot read ${file === '-' ? 'standard input' : file}: ${reasonOf(error)}`);
  }
}

/** Returns the place of a line. The command line decides, so that an application cannot write lines that look like those
 * of the gateway. In a collected file, the collector decides, or else the format. */
function placeOf(source: Source, written: Place | undefined, reading: Reading): Place | undefined {
  const place = source.place ?? written ?? reading.place ?? 'app';
  return place === 'gateway' && reading.place !== 'gateway' ? undefined : place;
}

/** Returns the hops in a line of a file, which a collector may have written.
 * @param wanted whether a line within it is read at all */
export function hopsIn(source: Source, text: string, line: number, wanted: (text: string) => boolean): readonly Hop[] {
  return linesIn(text).flatMap(({ text: own, place: written }) => {
    if (!wanted(own)) return [];
    const reading = readLine(own);
    const place = placeOf(source, written, reading);
    return place === undefined ? [] : [{ ...reading, place, file: source.file, line }];
  });
}

class Search {
  readonly ids: Set<string>;
  readonly traces: Set<string>;
  readonly hops = new Map<string, Hop>();
  readonly sampled = new Map<Place, Sampled>();
  readonly long = new Map<string, number>();
  cut = false;

  constructor(id: string) {
    this.ids = new Set([id]);
    this.traces = new Set([id]);
  }

  #has(text: string): boolean {
    for (const id of this.ids) if (text.includes(id)) return true;
    return false;
  }

  #sample({ place, ids, format }: Hop): void {
    const all = this.sampled.get(place) ?? { lines: 0, traced: 0, requested: 0, formats: new Set<string>() };
    this.sampled.set(place, all);
    all.lines++;
    if (ids.trace !== undefined) all.traced++;
    if (ids.request !== undefined) all.requested++;
    all.formats.add(format);
  }

  /** Keeps a hop, and adds its ids, by which other lines know the request. */
  #keep(hop: Hop, key: string): void {
    const { trace, request } = hop.ids;
    // A line of text can name an id anywhere. Other formats have fields for it, and other fields do not count.
    const known = [trace, request].some((id) => id !== undefined && this.ids.has(id));
    if (!known && hop.format !== 'text') return;
    if (this.hops.size >= MOST_HOPS && !this.hops.has(key)) {
      this.cut = true;
      return;
    }
    if (!this.hops.has(key)) this.hops.set(key, hop);
    if (hop.format === 'text') return;
    for (const own of [trace, request]) if (own !== undefined) this.ids.add(own);
    if (trace !== undefined) this.traces.add(trace);
  }

  /** How many ids count for a source. Other lines of the gateway have the same trace id, and never the request id. */
  known({ place }: Source): number {
    return place === 'gateway' ? this.traces.size : this.ids.size;
  }

  async scan(runtime: Runtime, source: Source): Promise<void> {
    let samples = 0;
    const long = await eachLine(runtime, source.file, (text, line) => {
      if (samples < SAMPLE) {
        samples++;
        for (const hop of hopsIn(source, text, line, (own) => own !== '')) this.#sample(hop);
      }
      if (!this.#has(text)) return;
      for (const [index, hop] of hopsIn(source, text, line, (own) => this.#has(own)).entries()) {
        // A collector that starts again can read a file again.
        const key = source.place === undefined ? JSON.stringify({ ...hop, line: 0 }) : `${line}\n${index}`;
        this.#keep(hop, `${source.file}\n${key}`);
      }
    });
    this.long.set(source.file, long);
  }
}

/** Finds all lines about a request. An ingress can give the request an id of its own. So a file is read again if an id
 * was found after it. */
export async function collect(runtime: Runtime, sources: readonly Source[], id: string): Promise<Collected> {
  const search = new Search(id);
  const scanned = new Map<Source, number>();
  const isBehind = (source: Source) => scanned.get(source) !== search.known(source);
  let missed = false;
  for (let next = sources.find(isBehind); next !== undefined; next = sources.find(isBehind)) {
    const isInput = next.file === '-';
    if (isInput && scanned.has(next)) missed = true;
    else {
      scanned.set(next, search.known(next));
      await search.scan(runtime, next);
    }
    if (isInput) scanned.set(next, search.known(next));
  }
  return {
    hops: [...search.hops.values()],
    sampled: search.sampled,
    cut: search.cut,
    missed,
    notes: [...search.long].flatMap(([file, long]) => longNote(file, long)),
  };
}
