import { type At, formatError, type Policy, type PolicyError, parsePolicy } from '../policy/index.ts';
import { compile } from '../rules/compile.ts';
import type { Rule } from '../rules/types.ts';
import { WrongUse } from './context.ts';
import { codeOf, type Runtime } from './runtime.ts';

const DEFAULT_FILE = './meshgate.yaml';

/** A policy and its compiled rules. */
export interface Loaded {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

/** The policy file: the argument, `--policy`, or the default. */
export function policyFile(argument: string | undefined, flag: string | undefined): string {
  if (argument !== undefined && flag !== undefined)
    throw new WrongUse(`two policies, ${argument} and ${flag}: give one`);
  return argument ?? flag ?? DEFAULT_FILE;
}

/** The name of a file in messages. */
export function fileName(file: string): string {
  return file === '-' ? 'stdin' : file.replace(/^\.\//, '');
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user is not permitted to',
  EISDIR: 'it is a folder',
  ELOOP: 'a part of its path is a link',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'the file system is read-only',
};

/** Why the system could not use a file, in words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code ?? ''] ?? code ?? 'it is not a file';
}

/** Bytes of a file that the user named. */
export function readFile(runtime: Runtime, file: string, what: string): Uint8Array {
  try {
    return runtime.read(file);
  } catch (error) {
    throw new WrongUse(`cannot read ${what} ${file}: ${reasonOf(error)}`);
  }
}

/** Text of UTF-8 bytes; undefined for other bytes. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes as unknown as ArrayBuffer);
  } catch {
    return undefined;
  }
}

/** Reads, checks and compiles a policy; returns its errors if there are any. */
export function loadPolicy(runtime: Runtime, file: string): Loaded | readonly PolicyError[] {
  const name = fileName(file);
  const text = utf8(readFile(runtime, file, 'the policy'));
  if (text === undefined) {
    return [{ at: { file: name, line: 1, column: 1 }, path: '', message: 'the file is not UTF-8' }];
  }
  const { policy, errors } = parsePolicy(text, name);
  return policy === undefined ? errors : { policy, rules: compile(policy) };
}

/** Loads a policy for commands that need a valid one; prints its errors if there are any. */
export function loadValid(runtime: Runtime, file: string): Loaded | undefined {
  const loaded = loadPolicy(runtime, file);
  if ('policy' in loaded) return loaded;
  for (const error of loaded) runtime.err(`${formatError(error)}\n`);
  return undefined;
}

/** Loads two valid policies; prints the errors of both if there are any. */
export function loadPair(runtime: Runtime, a: string, b: string): readonly [Loaded, Loaded] | undefined {
  if (a === '-' && b === '-') throw new WrongUse('standard input holds one file, not two');
  const [first, second] = [loadValid(runtime, a), loadValid(runtime, b)];
  return first === undefined || second === undefined ? undefined : [first, second];
}

/** A place in the form that people and editors read. */
export function place({ file, line, column }: At): string {
  return `${file}:${line}:${column}`;
}

/** `1 role`, `2 roles`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
