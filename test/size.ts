/**
 * Measures src/ and docs/ against the budgets of test/size.json, prints a table, and fails above a budget. CONTRIBUTING.md
 * says how a budget changes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Names that many folders use on purpose: the reader finds the file by its folder. */
const CONVENTIONS = ['index.ts', 'types.ts', 'command.ts'];

const LONG = 350;
const SMALL = 25;
const CROWDED = 25;
const PARAMETERS = 5;

/** A longer list is not printed, because most of it was there before. */
const MOST_NAMED = 10;

export interface Measure {
  readonly name: string;
  readonly is: number;
  readonly budget: number | undefined;
  /** What is counted, if it is a list that a reader can shorten. */
  readonly found?: readonly string[];
}

const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => ending.test(name))
    .sort();

const linesOf = (text: string): number => text.split('\n').length - 1;

/** The text without comments and without what is in quotes, so that brackets and commas in them do not count. */
const bare = (text: string): string =>
  text.replace(
    /\/\*[\s\S]*?\*\/|(?<![:\w\\])\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    (it) => (it.startsWith('/') ? '' : "''"),
  );

const OPENS = '([{<';
const CLOSES = ')]}>';

/** The number of elements in the brackets that begin at a place, and where the brackets end. */
function listAt(text: string, start: number): { readonly count: number; readonly end: number } {
  let [depth, count, isEmpty] = [1, 0, true];
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (CLOSES.includes(char) && !(char === '>' && text[at - 1] === '=')) depth--;
    if (depth === 0) return { count: isEmpty ? count : count + 1, end: at };
    if (depth === 1 && char === ',') {
      count++;
      isEmpty = true;
    } else if (!/\s/.test(char)) isEmpty = false;
    if (OPENS.includes(char)) depth++;
  }
  return { count: 0, end: text.length };
}

/** The functions of a source with as many parameters as {@link PARAMETERS}, or more. */
export function longLists(source: string): readonly string[] {
  const text = bare(source);
  return [...text.matchAll(/([\w$#]*)(<[^<>()]*>)?\(/g)].flatMap(({ 0: all, 1: name = '', index }) => {
    if (/^(?:if|for|while|switch|catch|return)$/.test(name)) return [];
    const { count, end } = listAt(text, index + all.length - 1);
    const isFunction = /^\)\s*(?::[^;=]{1,200}?)?\s*(?:=>|\{)/.test(text.slice(end, end + 300));
    return count >= PARAMETERS && isFunction ? [name] : [];
  });
}

/** The keys that several values share, with the values: for each, one text. */
function shared(pairs: readonly (readonly [key: string, value: string])[]): readonly string[] {
  const all = new Map<string, string[]>();
  for (const [key, value] of pairs) all.set(key, [...(all.get(key) ?? []), value]);
  return [...all].filter(([, values]) => values.length > 1).map(([key, values]) => `${key}: ${values.join(', ')}`);
}

const exportsOf = (text: string): readonly string[] =>
  [
    ...text.matchAll(
      /^export (?:abstract |async |declare )*(?:function\*?|const|class|interface|type|enum) ([\w$]+)/gm,
    ),
  ].map(([, name = '']) => name);

/** Everything that has a budget. */
export function measures(): readonly Measure[] {
  const budgets: Readonly<Record<string, number>> = JSON.parse(readFileSync('test/size.json', 'utf8'));
  const sources = filesIn('src', /\.(?:ts|mjs)$/).map((file) => [file, readFileSync(file, 'utf8')] as const);
  const lines = sources.map(([file, text]) => [file, linesOf(text)] as const);
  const sum = (room: string) =>
    lines.filter(([file]) => file.startsWith(`${room}/`)).reduce((total, [, count]) => total + count, 0);
  const rooms = [...new Set(sources.map(([file]) => dirname(file).split('/').slice(0, 2).join('/')))].sort();
  // A word has a letter or a digit: the lines of a table are no words.
  const words = (files: readonly string[]) =>
    files.reduce((total, file) => total + (readFileSync(file, 'utf8').match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0), 0);
  const pages = filesIn('docs', /\.md$/);
  const isOurs = (file: string) => file.startsWith('docs/contributing/');

  const long = lines.filter(([, count]) => count > LONG).map(([file]) => file);
  const small = lines.filter(([, count]) => count <= SMALL).map(([file]) => file);
  const folders = shared(sources.map(([file]) => [dirname(file), basename(file)]));
  const crowded = folders.filter((folder) => folder.split(', ').length > CROWDED);
  const names = shared(
    sources.map(([file]) => [basename(file), dirname(file)] as const).filter(([name]) => !CONVENTIONS.includes(name)),
  );
  const lists = sources.flatMap(([file, text]) => longLists(text).map((name) => `${file} ${name}`));
  const exported = shared(
    sources.flatMap(([file, text]) => [...new Set(exportsOf(text))].map((name) => [name, file] as const)),
  );

  const measured: readonly Omit<Measure, 'budget'>[] = [
    ...rooms.map((room) => ({ name: `lines of ${room}`, is: room === 'src' ? sum('src') : sum(room) })),
    { name: 'words of docs/', is: words(pages.filter((file) => !isOurs(file))) },
    { name: 'words of docs/contributing/', is: words(pages.filter(isOurs)) },
    { name: 'words of README.md', is: words(['README.md']) },
    { name: 'words of CONTRIBUTING.md', is: words(['CONTRIBUTING.md']) },
    ...Object.entries({
      [`files with more than ${LONG} lines`]: long,
      [`folders with more than ${CROWDED} files`]: crowded,
      [`files with at most ${SMALL} lines`]: small,
      'names of several files': names,
      [`functions with ${PARAMETERS} or more parameters`]: lists,
      'names that several files export': exported,
    }).map(([name, found]) => ({ name, is: found.length, found })),
  ];
  return measured.map((one) => ({ ...one, budget: budgets[one.name] }));
}

/** What is above its budget, or has none. */
export const tooLarge = (all: readonly Measure[]): readonly string[] =>
  all
    .filter(({ is, budget }) => budget === undefined || is > budget)
    .map(({ name, is, budget, found = [] }) => {
      const which =
        found.length > MOST_NAMED ? ' (node test/size.ts --list names them)' : found.map((it) => `\n  ${it}`);
      return `${name}: ${is}, budget ${budget ?? 'missing'}${[which].flat().join('')}`;
    });

if (import.meta.main) {
  const all = measures();
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const { name, is, budget } of all) console.log(`${name.padEnd(width)} ${String(is).padStart(7)} of ${budget}`);
  if (process.argv.includes('--list'))
    for (const { name, found } of all) for (const it of found ?? []) console.log(`${name}: ${it}`);
  const above = tooLarge(all);
  for (const line of above) console.error(`above the budget of test/size.json: ${line}`);
  process.exitCode = above.length > 0 ? 1 : 0;
}
