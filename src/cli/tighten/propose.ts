import type { At, PolicyError } from '../../policy/index.ts';
import { WrongUse } from '../common/context.ts';
import { decoded, type LoadedFile, loadPolicy } from '../common/load.ts';
import { fileName, readsStdin, type Source } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { type Cut, PolicyParts, withoutCuts } from './edit.ts';
import { type Grant, inherited } from './grants.ts';

/** A file of the policy with the parts that are removed. */
export interface EditedFile {
  readonly file: string;
  readonly text: string;
  readonly cuts: readonly Cut[];
}

/** A policy without grants, and the files in which they are removed. */
export interface Proposal {
  readonly removed: readonly Grant[];
  /** Grants that no request used, and that stay. */
  readonly staying: readonly (Grant & { readonly stays: string })[];
  /** Definitions that nothing uses any more, as paths in the policy. */
  readonly definitions: readonly string[];
  readonly files: readonly EditedFile[];
  readonly loaded: LoadedFile;
}

type Attempt = Pick<Proposal, 'definitions' | 'files' | 'loaded'> | { readonly fails: string };

/** Maximum number of rounds: a definition that is removed can be the only one that uses another one. */
const ROUNDS = 10;

/** The error about a definition that nothing uses. */
const UNUSED = /^no effect: nothing uses this /;

class Proposing {
  readonly #runtime: Runtime;
  readonly #source: Source;
  readonly #texts = new Map<string, string>();

  constructor(runtime: Runtime, source: Source) {
    this.#runtime = runtime;
    this.#source = source;
  }

  #text(file: string): string {
    let text = this.#texts.get(file);
    if (text === undefined) {
      text = decoded(file, this.#runtime.read(file));
      this.#texts.set(file, text);
    }
    return text;
  }

  /** Removes grants and definitions from the files; undefined if one cannot be removed from its text. */
  #edited(grants: readonly Grant[], definitions: readonly At[]): readonly EditedFile[] | undefined {
    const files = new Map<string, PolicyParts>();
    const partsOf = ({ file }: At) => {
      const parts = files.get(file) ?? new PolicyParts(this.#text(file));
      files.set(file, parts);
      return parts;
    };
    const areRemoved = [
      ...grants.map(({ kind, at, methods = [] }) => {
        const parts = partsOf(at);
        if (kind === 'methods') return parts.words(at, 'methods', methods);
        return kind === 'rule' ? parts.item(at) : parts.entry(at);
      }),
      ...definitions.map((at) => partsOf(at).entry(at)),
    ];
    if (areRemoved.includes(false)) return undefined;
    const edited = [...files].map(([file, parts]) => ({ file, text: parts.text, cuts: parts.cuts() }));
    return edited.every((it): it is EditedFile => it.cuts !== undefined) ? edited : undefined;
  }

  /** Returns the policy without some grants, and without the definitions that nothing uses then. */
  without(grants: readonly Grant[]): Attempt {
    const definitions: { at: At; path: string }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const files = this.#edited(
        grants,
        definitions.map(({ at }) => at),
      );
      if (files === undefined) return { fails: 'its lines in the file have other parts, too' };
      const texts = new Map(files.map(({ file, text, cuts }) => [file, withoutCuts(text, cuts)]));
      const read = (path: string) => {
        const text = texts.get(fileName(path));
        return text === undefined ? this.#runtime.read(path) : new TextEncoder().encode(text);
      };
      const loaded = loadPolicy({ ...this.#runtime, read }, this.#source);
      if ('policy' in loaded) return { definitions: definitions.map(({ path }) => path), files, loaded };
      const found = this.#unused(loaded);
      if (found === undefined) return { fails: loaded[0]?.message ?? 'the policy would have errors' };
      definitions.push(...found);
    }
    return { fails: 'too many definitions depend on each other' };
  }

  /** Returns the definitions that nothing uses, with their places in the unchanged files; undefined if there are other
   * errors. */
  #unused(errors: readonly PolicyError[]): readonly { at: At; path: string }[] | undefined {
    const before = loadPolicy(this.#runtime, this.#source);
    if (!('policy' in before)) return undefined;
    const found = errors.map(({ message, path }) => {
      const at = UNUSED.test(message) ? placeOf(before, path) : undefined;
      return at === undefined || at.profile !== undefined ? undefined : { at, path };
    });
    return found.every((it) => it !== undefined) ? found : undefined;
  }
}

/** Returns the place of a definition in the unchanged policy. */
function placeOf({ policy }: LoadedFile, path: string): At | undefined {
  const [section = '', name = ''] = path.split(/\.(.*)/s);
  const sections: Readonly<Record<string, Readonly<Record<string, { readonly at: At }>>>> = {
    roles: policy.roles,
    agents: policy.agents,
    services: policy.services,
    'mesh.identities': policy.mesh?.identities ?? {},
    'mesh.ingresses': policy.mesh?.ingresses ?? {},
  };
  const [key, own] =
    section === 'mesh' ? [`mesh.${name.split('.')[0]}`, name.replace(/^[^.]*\./, '')] : [section, name];
  const plain = own.startsWith('"') ? JSON.parse(own) : own;
  return sections[key]?.[plain]?.at;
}

type Staying = Grant & { readonly stays: string };

/** Removes all grants that can be removed. If one of them cannot, each is tried with those that can be. */
function attempt(proposing: Proposing, grants: readonly Grant[]) {
  const all = proposing.without(grants);
  if (!('fails' in all)) return { removed: grants, cannot: [], found: all };
  const removed: Grant[] = [];
  const cannot: Staying[] = [];
  for (const grant of grants) {
    const next = proposing.without([...removed, grant]);
    if ('fails' in next) cannot.push({ ...grant, stays: next.fails });
    else removed.push(grant);
  }
  const found = proposing.without(removed);
  if ('fails' in found) throw new WrongUse(`the policy cannot be changed: ${found.fails}`);
  return { removed, cannot, found };
}

/** Removes grants from the files of a policy. A grant stays if the policy would have errors without it, or if what stays
 * has its requests. */
export function propose(runtime: Runtime, source: Source, all: readonly Grant[]): Proposal {
  if (readsStdin(source)) throw new WrongUse('tighten prints a patch of the policy’s file: give its name');
  const proposing = new Proposing(runtime, source);
  const inProfile = (it: Grant): Grant =>
    it.stays === undefined && it.at.profile !== undefined ? { ...it, stays: 'it comes from a profile' } : it;
  const grants = all.map(inProfile);
  const staying = grants.filter((it): it is Staying => it.stays !== undefined);
  let free = grants.filter(({ stays }) => stays === undefined);
  for (;;) {
    const { removed, cannot, found } = attempt(proposing, free);
    staying.push(...cannot);
    const stay = new Map(removed.map((grant) => [grant, inherited(grant, found.loaded.policy)]));
    free = removed.filter((grant) => stay.get(grant) === undefined);
    if (free.length === removed.length) return { removed, staying, ...found };
    staying.push(...[...stay].flatMap(([grant, stays]) => (stays === undefined ? [] : [{ ...grant, stays }])));
  }
}
