import {
  type BaseArgs,
  type BaseFlags,
  buildCommand,
  buildRouteMap,
  type Command,
  type CommandContext,
  type RouteMap,
  type StricliProcess,
} from '@stricli/core';
import { foreign } from '../../base/hostile-text.ts';
import { seconds } from '../../policy/forms/units.ts';
import type { Runtime } from '../machine/runtime.ts';
import { type Format, print, type Report } from './print.ts';

/** The exit codes: yes; no (denied, or not valid); wrong use; and, from commands that compare, an unproven result. */
export const YES = 0;
export const NO = 1;
export const WRONG_USE = 2;
export const NOT_PROVEN = 3;

export interface Context extends CommandContext {
  readonly process: StricliProcess;
  readonly runtime: Runtime;
}

/** Ends a command with exit code 1. The lines say why. */
export class Failed extends Error {
  override readonly name: string = 'Failed';
  readonly code: number = NO;
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** The error for wrong use of a command. Its lines say how to use the command. */
export class WrongUse extends Failed {
  override readonly name = 'WrongUse';
  override readonly code = WRONG_USE;
}

/** Ends a command whose policy has errors, which are printed already. */
export class InvalidPolicy extends Error {}

/** A flag that takes a value. */
interface ValueFlag<T> {
  readonly kind: 'parsed';
  readonly parse: (text: string) => T;
  readonly optional: true;
  readonly placeholder: string;
  readonly brief: string;
}

/** Returns an optional flag with a value.
 * @param parse throws an error that says what to write */
export function flag<T = string>(
  placeholder: string,
  brief: string,
  parse: (text: string) => T = String as unknown as (text: string) => T,
): ValueFlag<T> {
  return { kind: 'parsed', parse, optional: true, placeholder, brief };
}

/** Returns a flag that may be given several times. */
export const several = <F extends ValueFlag<unknown>>(one: F) => ({ ...one, variadic: true as const });

/** Returns a flag without a value. */
export const switchFlag = (brief: string) => ({ kind: 'boolean', optional: true, withNegated: false, brief }) as const;

/** Returns a flag without a value that has a negation, such as `--no-session`. */
export const toggle = (brief: string) => ({ kind: 'boolean', default: false, brief }) as const;

/** Returns a positional argument. */
export const argument = (placeholder: string, brief: string) => ({ parse: String, placeholder, brief });

type ValueOf<F> = F extends { readonly parse: (text: string) => infer T }
  ? F extends { readonly variadic: unknown }
    ? readonly T[]
    : T
  : F extends { readonly values: readonly (infer V)[] }
    ? V
    : boolean;

/** The values of a command's flags. */
export type FlagsOf<S> = {
  readonly [K in keyof S as S[K] extends { readonly optional: true } ? never : K]: ValueOf<S[K]>;
} & { readonly [K in keyof S as S[K] extends { readonly optional: true } ? K : never]?: ValueOf<S[K]> };

export type Argument = ReturnType<typeof argument> & { readonly optional?: true; readonly several?: true };

type ArgumentsOf<A> = A extends readonly [{ readonly several: true }]
  ? string[]
  : { [I in keyof A]: A[I] extends { readonly optional: true } ? string | undefined : string };

const positionalOf = (args: readonly Argument[]) =>
  args[0]?.several
    ? { kind: 'array', parameter: args[0], minimum: args[0].optional ? 0 : 1 }
    : { kind: 'tuple', parameters: args };

/** What `--help` and the documentation say about a command. */
export interface Definition {
  readonly brief: string;
  /** The description for `--help`. */
  readonly text: string;
  readonly examples: readonly string[];
  readonly flags: object;
  readonly args: readonly Argument[];
  /** The meaning of the exit codes of this command. */
  readonly exits: Exits;
}

type Exits = Readonly<{ [YES]?: string; [NO]?: string; [NOT_PROVEN]?: string }>;

function exitsText(exits: Exits): string {
  const meanings = Object.entries(exits).map(([code, meaning]) => `${code}: ${meaning}`);
  return meanings.length === 0 ? '' : ` Exit code ${meanings.join('; ')}.`;
}

export type DefinedCommand = Command<Context> & { readonly definition: Definition };

/** Prints why a command ended early, and returns the exit code. */
function printFailure(runtime: Runtime, error: unknown, exits: Exits): number {
  if (error instanceof InvalidPolicy) return exits[NOT_PROVEN] === undefined ? NO : NOT_PROVEN;
  if (!(error instanceof Failed)) throw error;
  // Names of files and objects come from outside. A line break in a name must not begin a new line of output.
  for (const line of error.lines) runtime.err(`meshgate: ${foreign(line, Number.POSITIVE_INFINITY)}\n`);
  return error.code;
}

/** Returns a command for stricli. Its exit code is the number that `run` returns, or that of its result. */
export function command<S extends object, const A extends readonly Argument[] = []>(
  given: Omit<Definition, 'flags' | 'args' | 'exits'> & {
    readonly flags: S;
    /** If the only argument has `several`, there may be any number of it, at least one unless it is optional. */
    readonly args?: A;
    readonly exits?: Exits;
    readonly run: (
      runtime: Runtime,
      flags: FlagsOf<S>,
      ...args: ArgumentsOf<A>
    ) => number | Report | Promise<number | Report>;
  },
): DefinedCommand {
  const { brief, text, examples, args = [], exits = {}, run } = given;
  const flags = 'format' in given.flags ? { ...given.flags, json: jsonFlag } : given.flags;
  const built = buildCommand<BaseFlags, BaseArgs, Context>({
    async func({ json: asJson, ...own }: { readonly json?: boolean; readonly format?: Format }, ...rest) {
      const format = asJson === true ? 'json' : (own.format ?? 'text');
      try {
        const values = 'format' in own ? { ...own, format } : own;
        const returned = await run(this.runtime, values as unknown as FlagsOf<S>, ...(rest as ArgumentsOf<A>));
        this.process.exitCode = print(this.runtime, format, returned);
      } catch (error) {
        this.process.exitCode = printFailure(this.runtime, error, exits);
      }
    },
    parameters: { flags, positional: positionalOf(args) } as never,
    docs: {
      brief,
      fullDescription: [`${text}${exitsText(exits)}`, '', 'EXAMPLES', ...examples.map((it) => `  ${it}`)].join('\n'),
    },
  });
  return Object.assign(built, { definition: { brief, text, examples, flags, args, exits } });
}

/** Returns a command that has subcommands. */
export function commands(
  brief: string,
  routes: Readonly<Record<string, Command<Context> | RouteMap<Context>>>,
  fullDescription?: string,
): RouteMap<Context> {
  return buildRouteMap({ routes, docs: { brief, ...(fullDescription !== undefined && { fullDescription }) } });
}

/** The flag `--format`, which is the same for every command that has results. */
export const formatFlag = {
  kind: 'enum',
  values: ['text', 'json'],
  default: 'text',
  brief: 'text for people, json for machines',
} as const;

/** The flag `--json`, which every command with {@link formatFlag} has too. */
const jsonFlag = switchFlag('The same as --format json');

const POLICY = ['FILE', 'The policy (default $MESHGATE_POLICY, or ./meshgate.yaml; - reads standard input)'] as const;

/** The flag `--policy`, and the positional argument FILE with the same meaning. */
export const policyFlag = flag(...POLICY);
export const policyArgument = { ...argument(...POLICY), optional: true } as const;

/** Parses a duration as policies write it, and returns seconds. */
export function parseDuration(text: string): number {
  if (!/^\d{1,6}[smhd]$/.test(text)) throw new Error('write a duration such as 12h or 7d');
  return seconds(text);
}

/** Parses a time: seconds since the epoch, or a date of ISO 8601. */
export function parseTime(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isNaN(seconds)) throw new Error('write seconds since the epoch, or a date such as 2026-01-31T12:00:00Z');
  return seconds;
}
