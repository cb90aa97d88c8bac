import { LONG_MISTAKE, type LogLine, readLine } from '../../audit/lines/line.ts';
import { type FileLine, linesOf } from '../../audit/lines/split-lines.ts';
import { foreignText, readSealerLeaf, type SealerLeaf } from '../../audit/log/leaf.ts';
import type { Published } from '../../audit/log/log-reader.ts';
import { sealedEntries } from '../../audit/verify/verify-log.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';
import { parseDuration, parseTime, WrongUse } from './context.ts';
import { reasonOf } from './load.ts';

/** The positional argument LOG…. */
export const LOGS = ['LOG', 'Files of the log; .gz is decompressed, and - reads standard input'] as const;

export type Place = Pick<FileLine, 'file' | 'number'>;

/** A line of the log with its place in a file, or what is wrong with it. */
export type Logged = Place & ({ readonly line: LogLine } | { readonly mistake: string });

export const placeText = ({ file, number }: Place): string => `${file}:${number}`;

/** Returns the texts of the lines of several files, one after the other. */
export async function* textLines(runtime: Runtime, files: readonly string[]): AsyncGenerator<FileLine> {
  if (files.filter((it) => it === '-').length > 1) throw new WrongUse('only one log can come from standard input');
  for (const file of files) {
    try {
      const name = file === '-' ? 'stdin' : file;
      yield* linesOf(name, runtime.chunks(file));
    } catch (error) {
      if (codeOf(error) === 'ENOZIP')
        throw new WrongUse(`this engine cannot decompress ${file}: give its text on standard input (zcat FILE | … -)`);
      if (codeOf(error) === undefined) throw error;
      throw new WrongUse(`cannot read the log ${file}: ${reasonOf(error)}`);
    }
  }
}

/** Returns the lines of several files, one after the other.
 * @param wanted whether the text of a line counts; absent: every line does. A line that is too long always counts */
export async function* logLines(
  runtime: Runtime,
  files: readonly string[],
  wanted?: (text: string) => boolean,
): AsyncGenerator<Logged> {
  for await (const line of textLines(runtime, files)) {
    if (line.text === undefined || wanted?.(line.text) !== false) yield logged(line);
  }
}

function isThere(runtime: Runtime, file: string): boolean {
  try {
    runtime.hold(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Returns the lines that are appended to a file from now on. It ends only with standard input. */
export async function* followLines(runtime: Runtime, file: string): AsyncGenerator<Logged> {
  if (file === '-') return yield* logLines(runtime, [file]);
  if (runtime.follow === undefined)
    throw new WrongUse(`only Node can follow ${file}: give its lines on standard input (tail -n 0 -F ${file} | … -)`);
  try {
    if (!isThere(runtime, file)) runtime.err(`meshgate: waits for ${file}, which does not exist\n`);
    for await (const part of runtime.follow(file)) {
      for await (const line of linesOf(file, part)) yield logged(line);
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new WrongUse(`cannot read the log ${file}: ${reasonOf(error)}`);
  }
}

/** Returns the lines in a transparency log. The number of a line is the index of its entry.
 * @param leafOf is called for each entry, before its line, with the leaf of the sealer or undefined */
export function* sealedLines(
  files: Published,
  folder: string,
  leafOf: (leaf: SealerLeaf | undefined, place: Place) => void,
): Generator<Logged> {
  let number = -1;
  for (const entry of sealedEntries(files)) {
    number += 1;
    const leaf = readSealerLeaf(entry);
    const place = { file: folder, number };
    leafOf(leaf, place);
    if (leaf === undefined) yield logged({ ...place, text: Buffer.from(entry).toString() });
    else {
      const mistake = foreignText(leaf);
      if (mistake !== undefined) yield { ...place, mistake };
    }
  }
}

function logged({ file, number, text }: FileLine): Logged {
  if (text === undefined) return { file, number, mistake: LONG_MISTAKE };
  const read = readLine(text);
  return 'mistake' in read ? { file, number, ...read } : { file, number, line: read };
}

/** Describes the request of a line: method, URL without query, and the caller's roles. */
export function requestText({ id, method, host, path, roles, agent }: LogLine): string {
  const acting = agent === '' ? '' : `, agent ${agent}`;
  return `${id} ${method} https://${host}${path} (${roles.length === 0 ? 'no roles' : roles.join(', ')}${acting})`;
}

/** Returns the request of a line as JSON. */
export const requestJson = (place: Place, { id, time, method, host, path, roles, agent }: LogLine) => ({
  at: placeText(place),
  ...{ id, time, method, host, path, roles },
  ...(agent !== '' && { agent }),
});

/** A time before now, or a point in time, in seconds. */
type Since = { readonly ago: number } | { readonly at: number };

/** Parses the value of `--since`. */
export function parseSince(text: string): Since {
  if (/^\d+[smhd]$/.test(text)) return { ago: parseDuration(text) };
  try {
    return { at: parseTime(text) };
  } catch {
    throw new Error('write how long ago, such as 30m or 1h, or a date such as 2026-01-31T12:00:00Z');
  }
}

/** Returns the time of `--since` in milliseconds since the epoch. */
export const sinceMs = (runtime: Runtime, since: Since): number =>
  ('at' in since ? since.at : runtime.now() - since.ago) * 1000;
