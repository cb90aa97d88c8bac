import { formatError, type Policy, type PolicyError, type PolicyText, parsePolicy } from '../policy/index.ts';
import { compile } from '../rules/compile.ts';
import type { Rule } from '../rules/types.ts';
import { WrongUse } from './context.ts';
import { codeOf, type Runtime } from './runtime.ts';
import { fileName, type Source, variablesOf } from './source.ts';

/** A policy and its compiled rules. */
export interface Loaded {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user has no permission',
  EISDIR: 'it is a folder',
  ELOOP: 'a part of its path is a link',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'the file system is read-only',
};

/** Explains in words why the system could not read or write a file. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code ?? ''] ?? code ?? 'it is not a regular file';
}

/** Reads the bytes of a file that the user named. */
export function readFile(runtime: Runtime, file: string, what: string): Uint8Array {
  try {
    return runtime.read(file);
  } catch (error) {
    throw new WrongUse(`cannot read ${what} ${file}: ${reasonOf(error)}`);
  }
}

/** Reads the text of a file that the user named. */
export function readText(runtime: Runtime, file: string, what: string): string {
  return decoded(`${what} ${file}`, readFile(runtime, file, what));
}

/** Decodes UTF-8; the error names the file. */
export function decoded(file: string, bytes: Uint8Array): string {
  const text = utf8(bytes);
  if (text === undefined) throw new WrongUse(`${file}: the file is not UTF-8`);
  return text;
}

/** Decodes UTF-8; undefined if the bytes are not valid UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes as unknown as ArrayBuffer);
  } catch {
    return undefined;
  }
}

/** Reads, checks and compiles a policy. Returns the errors if the policy is not valid. */
export function loadPolicy(runtime: Runtime, source: Source): Loaded | readonly PolicyError[] {
  const read = (file: string, what: string) => ({ name: fileName(file), text: utf8(readFile(runtime, file, what)) });
  const all = [read(source.file, 'the policy'), ...source.overlays.map((it) => read(it, 'the overlay'))];
  const unreadable = all.filter(({ text }) => text === undefined);
  if (unreadable.length > 0) {
    return unreadable.map(({ name }) => ({
      at: { file: name, line: 1, column: 1 },
      path: '',
      message: 'the file is not UTF-8',
    }));
  }
  const [first, ...overlays] = all as [PolicyText, ...PolicyText[]];
  const { policy, errors } = parsePolicy(first.text, first.name, { overlays, variables: variablesOf(runtime, source) });
  return policy === undefined ? errors : { policy, rules: compile(policy) };
}

/** Loads a policy for a command that needs a valid one. If it is not valid, prints the errors. */
export function loadValid(runtime: Runtime, source: Source): Loaded | undefined {
  const loaded = loadPolicy(runtime, source);
  if ('policy' in loaded) return loaded;
  for (const error of loaded) runtime.err(`${formatError(error)}\n`);
  return undefined;
}

/** Loads two policies. If one of them is not valid, prints the errors of both. */
export function loadPair(runtime: Runtime, [a, b]: readonly [Source, Source]): readonly [Loaded, Loaded] | undefined {
  const [first, second] = [loadValid(runtime, a), loadValid(runtime, b)];
  return first === undefined || second === undefined ? undefined : [first, second];
}

/** Returns a number with its noun: `1 role`, `2 roles`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
