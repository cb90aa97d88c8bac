import type { CommandContext, StricliProcess } from '@stricli/core';
import { seconds } from '../policy/units.ts';
import { foreign } from './foreign.ts';
import type { Runtime } from './runtime.ts';

/** The exit codes: yes, no (denied, or not valid) and wrong use. Commands that compare have a fourth code for an
 * unproven result. */
export const YES = 0;
export const NO = 1;
export const WRONG_USE = 2;
export const NOT_PROVEN = 3;

export interface Context extends CommandContext {
  readonly process: StricliProcess;
  readonly runtime: Runtime;
}

/** The error for a command that was called wrongly. Its message says how to call the command, with one line for each
 * mistake. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** Turns a command into a function for stricli. The exit code is the number that the command returns, or 2 for wrong
 * use. */
export function action<Flags, Args extends readonly (string | undefined)[]>(
  run: (runtime: Runtime, flags: Flags, ...args: Args) => number | Promise<number>,
): (this: Context, flags: Flags, ...args: Args) => Promise<void> {
  return async function (flags, ...args) {
    try {
      this.process.exitCode = await run(this.runtime, flags, ...args);
    } catch (error) {
      if (!(error instanceof WrongUse)) throw error;
      // Names of files and objects come from outside. A line break in a name must not begin a new line of output.
      for (const line of error.lines) this.runtime.err(`meshgate: ${foreign(line, Number.POSITIVE_INFINITY)}\n`);
      this.process.exitCode = WRONG_USE;
    }
  };
}

export type Format = 'text' | 'json';

/** The flag `--format`, which is the same for every command that has results. */
export const formatFlag = {
  kind: 'enum',
  values: ['text', 'json'],
  default: 'text',
  brief: 'text for people, json for machines',
} as const;

/** The flag `--policy`, and the positional argument FILE with the same meaning. */
export const policyFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'FILE',
  brief: 'The policy (default ./meshgate.yaml; - reads standard input)',
} as const;

export const policyArgument = {
  kind: 'tuple',
  parameters: [
    {
      parse: String,
      optional: true,
      placeholder: 'FILE',
      brief: 'The policy (default ./meshgate.yaml; - reads standard input)',
    },
  ],
} as const;

/** Returns a description for `--help`, with examples. */
export function described(text: string, examples: readonly string[]): string {
  return [text, '', 'EXAMPLES', ...examples.map((example) => `  ${example}`)].join('\n');
}

/** Returns a value as the commands print JSON. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Parses a duration as policies write it, and returns seconds. */
export function parseDuration(text: string): number {
  if (!/^\d{1,6}[smhd]$/.test(text)) throw new Error('write a duration such as 12h or 7d');
  return seconds(text);
}
