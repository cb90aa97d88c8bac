import type { CommandContext, StricliProcess } from '@stricli/core';
import { seconds } from '../policy/units.ts';
import { foreign } from './foreign.ts';
import type { Runtime } from './runtime.ts';

/** Exit codes: yes, no (denied, not valid), wrong use. Commands that compare have a fourth: neither is proven. */
export const YES = 0;
export const NO = 1;
export const WRONG_USE = 2;
export const NOT_PROVEN = 3;

export interface Context extends CommandContext {
  readonly process: StricliProcess;
  readonly runtime: Runtime;
}

/** The command was called wrongly. The message says what is right, with a line for each mistake. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** A command as stricli runs it. Its exit code is the returned number, 2 for wrong use. */
export function action<Flags, Args extends readonly (string | undefined)[]>(
  run: (runtime: Runtime, flags: Flags, ...args: Args) => number | Promise<number>,
): (this: Context, flags: Flags, ...args: Args) => Promise<void> {
  return async function (flags, ...args) {
    try {
      this.process.exitCode = await run(this.runtime, flags, ...args);
    } catch (error) {
      if (!(error instanceof WrongUse)) throw error;
      // Names of files and objects come from outside, so a line break in them must not begin a new line.
      for (const line of error.lines) this.runtime.err(`meshgate: ${foreign(line, Number.POSITIVE_INFINITY)}\n`);
      this.process.exitCode = WRONG_USE;
    }
  };
}

export type Format = 'text' | 'json';

/** `--format`, the same for every command that has results. */
export const formatFlag = {
  kind: 'enum',
  values: ['text', 'json'],
  default: 'text',
  brief: 'text for people, json for machines',
} as const;

/** `--policy`, and the positional FILE with the same meaning. */
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

/** A description with examples for `--help`. */
export function described(text: string, examples: readonly string[]): string {
  return [text, '', 'EXAMPLES', ...examples.map((example) => `  ${example}`)].join('\n');
}

/** JSON as the commands print it. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A duration as policies write it, in seconds. */
export function parseDuration(text: string): number {
  if (!/^\d{1,6}[smhd]$/.test(text)) throw new Error('write a duration such as 12h or 7d');
  return seconds(text);
}
