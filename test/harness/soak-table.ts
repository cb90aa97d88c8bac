/** The rows of test/soak.tsv. */

/** `busy`: another process keeps all cores busy. */
export type Load = 'none' | 'busy';

/** What is known of a run when it begins. */
export interface Begun {
  readonly started: Date;
  readonly commit: string;
  /** `cold`: images and parts had to be built. */
  readonly parts: 'cold' | 'warm';
  readonly load: Load;
}

export interface Row extends Begun {
  /** Seconds for building images and parts. */
  readonly prepare: number;
  /** Seconds of the tests. */
  readonly suite: number;
  readonly passed: number;
  /** Names of failed tests. */
  readonly failed: readonly string[];
  readonly skipped: number;
}

const COLUMNS = ['started', 'commit', 'parts', 'load', 'prepare_s', 'suite_s', 'passed', 'failed', 'skipped'];

/** The first line of the file. */
export const HEADER = [...COLUMNS, 'failed_tests'].join('\t');

/** A row as a line of the file. */
export function rowOf({ started, commit, parts, load, prepare, suite, passed, failed, skipped }: Row): string {
  const names = failed.map((name) => name.replace(/[\t\n\r]+/g, ' ')).join('; ');
  const time = `${started.toISOString().slice(0, 16)}Z`;
  return [time, commit, parts, load, prepare, suite, passed, failed.length, skipped, names].join('\t');
}

const linesOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));

/** The load of the next run: busy after a quiet run, and quiet after a busy one. */
export function nextLoad(text: string): Load {
  const last = linesOf(text).slice(1).at(-1);
  return last?.[COLUMNS.indexOf('load')] === 'none' ? 'busy' : 'none';
}

/** The count of tests in the last good run of a commit; undefined if there is none. */
export function passedBefore(text: string, commit: string): number | undefined {
  const at = (name: string) => COLUMNS.indexOf(name);
  const good = linesOf(text).filter((line) => line[at('commit')] === commit && line[at('failed')] === '0');
  const last = good.at(-1);
  return last === undefined ? undefined : Number(last[at('passed')]);
}

/** The file as aligned columns; the names of failed tests stand below their row. */
export function table(text: string): string {
  const lines = linesOf(text);
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line, index) => {
      const cells = COLUMNS.map((_, i) => (line[i] ?? '').padEnd(widths[i]!))
        .join('  ')
        .trimEnd();
      const names = line[COLUMNS.length] ?? '';
      return index === 0 || names === '' ? cells : `${cells}\n    ${names}`;
    })
    .join('\n');
}
