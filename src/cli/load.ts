import { type At, formatError, type Policy, type PolicyError, parsePolicy } from '../policy/index.ts';
import { compile } from '../rules/compile.ts';
import type { Rule } from '../rules/types.ts';
import { WrongUse } from './context.ts';
import { codeOf, type Runtime } from './runtime.ts';

const DEFAULT_FILE = './meshgate.yaml';

/** A policy and what it compiles to. */
export interface Loaded {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

/** The one file that is meant: the argument, `--policy`, or the default. */
export function policyFile(argument: string | undefined, flag: string | undefined): string {
  if (argument !== undefined && flag !== undefined)
    throw new WrongUse(`two policies, ${argument} and ${flag}: give one`);
  return argument ?? flag ?? DEFAULT_FILE;
}

/** A file as messages call it. */
export function fileName(file: string): string {
  return file === '-' ? 'stdin' : file.replace(/^\.\//, '');
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not',
  EISDIR: 'it is a folder',
  ELOOP: 'a part of its path is a link',
  ENOTDIR: 'a part of its path is no folder',
  EROFS: 'the file system is read-only',
};

/** Why the system refused something with a file, in words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code ?? ''] ?? code ?? 'it is no file';
}

/** Bytes of a file that the user named. */
export function readFile(runtime: Runtime, file: string, what: string): Uint8Array {
  try {
    return runtime.read(file);
  } catch (error) {
    throw new WrongUse(`cannot read ${what} ${file}: ${reasonOf(error)}`);
  }
}

/** Text of bytes in UTF-8; undefined if they are something else. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes as unknown as ArrayBuffer);
  } catch {
    return undefined;
  }
}

/** Reads, checks and compiles a policy: the policy, or its mistakes. */
export function loadPolicy(runtime: Runtime, file: string): Loaded | readonly PolicyError[] {
  const name = fileName(file);
  const text = utf8(readFile(runtime, file, 'the policy'));
  if (text === undefined) {
    return [{ at: { file: name, line: 1, column: 1 }, path: '', message: 'the file is not UTF-8' }];
  }
  const { policy, errors } = parsePolicy(text, name);
  return policy === undefined ? errors : { policy, rules: compile(policy) };
}

/** For commands that need a policy without mistakes: prints them where there are any. */
export function loadValid(runtime: Runtime, file: string): Loaded | undefined {
  const loaded = loadPolicy(runtime, file);
  if ('policy' in loaded) return loaded;
  for (const error of loaded) runtime.err(`${formatError(error)}\n`);
  return undefined;
}

/** Two policies without mistakes; those of both are printed where there are any. */
export function loadPair(runtime: Runtime, a: string, b: string): readonly [Loaded, Loaded] | undefined {
  if (a === '-' && b === '-') throw new WrongUse('standard input holds one file, not two');
  const [first, second] = [loadValid(runtime, a), loadValid(runtime, b)];
  return first === undefined || second === undefined ? undefined : [first, second];
}

/** A place as people and editors read it. */
export function place({ file, line, column }: At): string {
  return `${file}:${line}:${column}`;
}

/** `1 role`, `2 roles`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
