import type { Runtime } from '../machine/runtime.ts';

const CODES = { good: 32, bad: 31, dim: 2, strong: 1 } as const;

export type Style = keyof typeof CODES;

export type Paint = (style: Style, text: string) => string;

/** Whether the output uses colours: on a terminal that has them, unless `NO_COLOR` is set (no-color.org). */
export function hasColours({ terminal, env }: Pick<Runtime, 'terminal' | 'env'>): boolean {
  return terminal && !env.NO_COLOR && env.TERM !== undefined && env.TERM !== 'dumb';
}

export function painter(runtime: Pick<Runtime, 'terminal' | 'env'>): Paint {
  const colours = hasColours(runtime);
  return (style, text) => (colours ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text);
}

/** Lays out rows as columns. The last cell of a row needs no width. */
export function columns(rows: readonly (readonly string[])[], gap = '  '): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries())
      if (i < row.length - 1) widths[i] = Math.max(widths[i] ?? 0, [...cell].length);
  return rows.map((row) =>
    row
      .map((cell, i) => (i < row.length - 1 ? cell + ' '.repeat((widths[i] as number) - [...cell].length) : cell))
      .join(gap)
      .trimEnd(),
  );
}

/** Returns a number with its noun: `1 role`, `2 roles`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export type Format = 'text' | 'json';

/** The result of a command. */
export interface Report {
  readonly code: number;
  /** What `--format json` prints. Members that are undefined are left out. */
  readonly value: unknown;
  /** The same for people. */
  readonly text: (paint: Paint) => string;
  /** Lines for standard error, after the result. */
  readonly notes?: readonly string[];
}

/** Returns a value as the commands print JSON. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Prints the result of a command, and returns the exit code. */
export function print(runtime: Runtime, format: Format, returned: number | Report): number {
  if (typeof returned === 'number') return returned;
  const { code, value, text, notes = [] } = returned;
  runtime.out(format === 'json' ? json(value) : text(painter(runtime)));
  for (const note of notes) runtime.err(`${note}\n`);
  return code;
}
