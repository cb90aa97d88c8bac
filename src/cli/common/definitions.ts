import type { Command, RouteMap } from '@stricli/core';
import type { Context, DefinedCommand, Definition } from './context.ts';

/** A flag of a command, as the documentation shows it. */
export interface OptionDefinition {
  /** With its dashes: `--ca-file`. */
  readonly name: string;
  /** The placeholder of its value, such as `FILE` or `text|json`; absent: the flag has no value. */
  readonly value?: string;
  readonly default?: string;
  readonly required: boolean;
  /** Whether the flag may be given several times. */
  readonly repeats: boolean;
  readonly description: string;
}

/** A positional argument of a command, as the documentation shows it. */
export interface ArgumentDefinition {
  readonly name: string;
  readonly required: boolean;
  readonly repeats: boolean;
  readonly description: string;
}

/** A command, as the documentation shows it. */
export interface CommandDefinition {
  /** Without `meshgate`: `validate`, `audit verify`. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly string[];
  /** The exit codes and their meaning. */
  readonly exits: Readonly<Record<number, string>>;
}

/** The parts that all kinds of flags have, for stricli. */
interface Flag {
  readonly brief: string;
  readonly optional?: boolean;
  readonly variadic?: boolean | string;
  readonly placeholder?: string;
  readonly values?: readonly string[];
  readonly default?: unknown;
}

function optionOf([name, flag]: readonly [string, Flag]): OptionDefinition {
  const value = flag.values?.join('|') ?? flag.placeholder;
  const { default: initial } = flag;
  return {
    name: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    ...(value !== undefined && { value }),
    ...(initial !== undefined && initial !== false && { default: String(initial) }),
    required: flag.optional !== true && initial === undefined,
    repeats: flag.variadic !== undefined,
    description: flag.brief,
  };
}

function definitionOf(name: string, { brief, text, examples, flags, args, exits }: Definition): CommandDefinition {
  return {
    ...{ name, summary: brief, description: text },
    arguments: args.map(({ placeholder, brief: description, optional, several }) => ({
      name: placeholder,
      ...{ required: optional !== true, repeats: several === true, description },
    })),
    options: Object.entries(flags).map(optionOf),
    examples,
    exits: { 0: 'yes', 1: 'no (denied, invalid)', 2: 'wrong use', ...exits },
  };
}

/** Returns the definitions of the commands below a node of the command tree. */
export function definitionsOf(
  node: RouteMap<Context> | Command<Context>,
  name: readonly string[] = [],
): readonly CommandDefinition[] {
  if ('definition' in node) return [definitionOf(name.join(' '), (node as DefinedCommand).definition)];
  if (!('getAllEntries' in node)) return [];
  return node.getAllEntries().flatMap((entry) => definitionsOf(entry.target, [...name, entry.name.original]));
}
