import {
  expandPolicy,
  formatError,
  type Policy,
  type PolicyError,
  type PolicyText,
  type ProfileSource,
  parsePolicy,
  type Stage,
  type TeamText,
} from '../../policy/index.ts';
import { compile } from '../../rules/compile.ts';
import type { Rule } from '../../rules/types.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';
import { InvalidPolicy, WrongUse } from './context.ts';
import { DEFAULT_FILE, fileName, type Source, variablesOf } from './source.ts';

/** A policy and its compiled rules. */
export interface Loaded {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

/** A policy that was read from files. */
export interface LoadedFile extends Loaded {
  /** Returns the policy as one text: with its overlays and profiles, and with the values of its variables. */
  expanded(): string;
}

/** The texts of a policy, and its stage. */
interface Texts {
  readonly policy: PolicyText;
  readonly stage: Stage;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user has no permission',
  EEXIST: 'a file of this name is there already',
  EISDIR: 'it is a folder',
  ENOTREG: 'it is not a regular file',
  EFBIG: 'it is too large',
  ELOOP: 'a part of its path is a link',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'the file system is read-only',
  Z_DATA_ERROR: 'its compressed data is damaged',
  Z_BUF_ERROR: 'its compressed data ends too early',
  ENOZIP: 'it is compressed, and only Node decompresses it: zcat FILE | meshgate … -',
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
    const advice = file === DEFAULT_FILE ? '; name the policy, or set MESHGATE_POLICY' : '';
    throw new WrongUse(`cannot read ${what} ${file}: ${reasonOf(error)}${advice}`);
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

/** The profiles that a policy can use: those beside the command's own file, and files beside the policy. */
function profilesOf(runtime: Runtime, policyFile: string): ProfileSource {
  const own = `${runtime.home}/profiles`;
  const folder = policyFile.includes('/') ? policyFile.slice(0, policyFile.lastIndexOf('/') + 1) : '';
  return {
    names: () => (runtime.list(own) ?? []).flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? []),
    read(use) {
      const isPath = use.includes('/');
      const path = !isPath ? `${own}/${use}.yaml` : use.startsWith('/') ? use : `${folder}${use.replace(/^\.\//, '')}`;
      try {
        const text = utf8(runtime.read(path));
        const name = isPath ? path.replace(/^\.\//, '') : `profiles/${use}.yaml`;
        return text === undefined ? { mistake: `the profile ${path} is not UTF-8` } : { name, text };
      } catch (error) {
        return { mistake: `cannot read the profile ${path}: ${reasonOf(error)}` };
      }
    },
  };
}

/** Reads the file of a team, which the policy names relative to its own folder. A policy on standard input has the
 * present folder. */
function readTeam(runtime: Runtime, { file: policy }: Source, file: string): TeamText {
  const path = `${policy === '-' ? '' : policy.slice(0, policy.lastIndexOf('/') + 1)}${file}`;
  try {
    // The team chooses what its file links to, and errors show lines of the file.
    if (policy !== '-' && !runtime.isBeside(policy, path)) {
      return { problem: 'it is a link to a file outside the folder of the policy; write the file itself' };
    }
    const text = utf8(runtime.read(path));
    return text === undefined ? { problem: 'the file is not UTF-8' } : { name: fileName(path), text };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

function readTexts(runtime: Runtime, source: Source): Texts | readonly PolicyError[] {
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
  const stage = {
    overlays,
    variables: variablesOf(runtime, source),
    profiles: profilesOf(runtime, source.file),
    readTeam: (file: string) => readTeam(runtime, source, file),
    ...(source.team !== undefined && { team: source.team }),
  };
  return { policy: first, stage };
}

/** Reads, checks and compiles a policy. Returns the errors if the policy is not valid. */
export function loadPolicy(runtime: Runtime, source: Source): LoadedFile | readonly PolicyError[] {
  const texts = readTexts(runtime, source);
  if (!('policy' in texts)) return texts;
  const { policy, errors } = parsePolicy(texts.policy.text, texts.policy.name, texts.stage);
  if (policy === undefined) return errors;
  return { policy, rules: compile(policy), expanded: () => expandPolicy(texts.policy, texts.stage) };
}

/** Loads a policy for a command that needs a valid one. If it is not valid, prints the errors and ends the command. */
export function loadValid(runtime: Runtime, source: Source): LoadedFile {
  const loaded = loadPolicy(runtime, source);
  if ('policy' in loaded) return loaded;
  for (const error of loaded) runtime.err(`${formatError(error)}\n`);
  throw new InvalidPolicy();
}

/** Loads several policies. Only after the errors of all are printed, the command ends. */
export function loadAll<T>(loads: readonly (() => T)[]): readonly T[] {
  let invalid: InvalidPolicy | undefined;
  const all = loads.flatMap((load) => {
    try {
      return [load()];
    } catch (error) {
      if (!(error instanceof InvalidPolicy)) throw error;
      invalid = error;
      return [];
    }
  });
  if (invalid !== undefined) throw invalid;
  return all;
}

/** Loads two policies that a command compares. */
export function loadPair(runtime: Runtime, sources: readonly [Source, Source]): readonly [Loaded, Loaded] {
  return loadAll(sources.map((it) => () => loadValid(runtime, it))) as readonly Loaded[] as readonly [Loaded, Loaded];
}
