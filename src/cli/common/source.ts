import { isVariable, type Variables } from '../../policy/index.ts';
import type { Runtime } from '../machine/runtime.ts';
import { flag, policyFlag, several, WrongUse } from './context.ts';

/** The policy of a command that names none. */
export const DEFAULT_FILE = './meshgate.yaml';

const overlay = (of: string) =>
  several(flag('FILE', `Merge this file into ${of}; repeat the flag to merge several, in this order`));
const env = (of: string) =>
  several(flag('NAME', `${of} may contain \${NAME}, a variable of the environment; NAME=VALUE sets it here`));

/** The flags that choose the policy and its stage, which are the same for every command that reads one policy. */
export const sourceFlags = { policy: policyFlag, overlay: overlay('the policy'), env: env('The policy') };

/** The flags that choose the stages of two policies. */
export const pairFlags = {
  overlay: overlay('both policies'),
  oldOverlay: overlay('the first policy'),
  newOverlay: overlay('the second policy'),
  env: env('Both policies'),
  oldEnv: env('The first policy'),
  newEnv: env('The second policy'),
};

interface StageFlags {
  readonly overlay?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
}

export interface PairFlags extends StageFlags {
  readonly oldOverlay?: readonly string[];
  readonly newOverlay?: readonly string[];
  readonly oldEnv?: readonly string[];
  readonly newEnv?: readonly string[];
}

/** A policy file and its stage, as the command line names them. */
export interface Source {
  readonly file: string;
  readonly overlays: readonly string[];
  readonly env: readonly string[];
  /** The only team whose file is read; absent: the files of all teams. */
  readonly team?: string;
}

/** Returns the policy that a command reads: the argument, the value of `--policy`, or the default. The default is the
 * policy of the gateway with its stage, as the variables of the image name them. */
export function sourceOf(
  { env }: Pick<Runtime, 'env'>,
  argument: string | undefined,
  { policy, ...stage }: StageFlags & { readonly policy?: string | undefined },
): Source {
  if (argument !== undefined && policy !== undefined)
    throw new WrongUse(`two policies, ${argument} and ${policy}: give only one`);
  const named = argument ?? policy;
  if (named !== undefined) return stageOf(named, stage);
  return stageOf(env.MESHGATE_POLICY || DEFAULT_FILE, {
    overlay: stage.overlay ?? namesIn(env.MESHGATE_OVERLAY),
    env: stage.env ?? namesIn(env.MESHGATE_ENV),
  });
}

/** The names in a variable, which spaces separate. */
const namesIn = (text = ''): string[] => text.split(/\s+/).filter((name) => name !== '');

/** Returns the two policies that a command compares. */
export function pairOf(a: string, b: string, flags: PairFlags): readonly [Source, Source] {
  const { overlay = [], env = [], oldOverlay = [], newOverlay = [], oldEnv = [], newEnv = [] } = flags;
  const [first, second] = [
    stageOf(a, { overlay: [...overlay, ...oldOverlay], env: [...env, ...oldEnv] }),
    stageOf(b, { overlay: [...overlay, ...newOverlay], env: [...env, ...newEnv] }),
  ];
  if (readsStdin(first) && readsStdin(second)) throw new WrongUse('only one file can come from standard input');
  return [first, second];
}

function stageOf(file: string, { overlay = [], env = [] }: StageFlags): Source {
  if ([file, ...overlay].filter((it) => it === '-').length > 1)
    throw new WrongUse('only one file can come from standard input');
  return { file, overlays: overlay, env };
}

/** Whether a part of a policy comes from standard input. */
export const readsStdin = ({ file, overlays }: Source): boolean => [file, ...overlays].includes('-');

/** Returns the name of a file as messages show it. */
export function fileName(file: string): string {
  return file === '-' ? 'stdin' : file.replace(/^\.\//, '');
}

/** Returns the name of a policy, its stage and its team: `meshgate.yaml with prod.yaml for team pay`. */
export function sourceName({ file, overlays, team }: Source): string {
  const ofTeam = team === undefined ? [] : [`for team ${team}`];
  return [fileName(file), ...overlays.map((it) => `with ${fileName(it)}`), ...ofTeam].join(' ');
}

/** Returns the variables that `--env` allows. The value after `=` may be a secret, so an error never repeats it. */
export function variablesOf({ env }: Runtime, { env: given }: Source): Variables {
  return new Map(
    given.map((text) => {
      const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(text) ?? [];
      if (!isVariable(name)) throw new WrongUse('--env: write NAME or NAME=VALUE; a name has letters, digits and _');
      return [name, value ?? (Object.hasOwn(env, name) ? env[name] : undefined)];
    }),
  );
}
