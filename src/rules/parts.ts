import type { Effect } from './role-changes.ts';
import { isSameValue, said, writtenKey } from './said.ts';

/** Something that a policy defines and that rules rest on, and what of it changed. */
export interface DefinitionChange {
  readonly section:
    | 'gateway'
    | 'provider'
    | 'role'
    | 'agent'
    | 'mesh'
    | 'identity'
    | 'ingress'
    | 'service'
    | 'host'
    | 'route'
    | 'header';
  /** Name of the provider, role, identity, service or header; of a host or a route, what of it changed. */
  readonly name: string;
  /** The key that changed, as policies write it; absent: the whole thing. */
  readonly key?: string;
  /** As text; absent: it was not there, or is not. */
  readonly before?: string;
  readonly after?: string;
  /** Roles that are made of this one; where this header goes, as policies write it. */
  readonly affects: readonly string[];
  /** Whether a role is given to more or to fewer, where that can be told. */
  readonly effect?: Effect;
  /** Ids of the rules, as they are to be, that name this role or one that is made of it. */
  readonly rules?: readonly string[];
}

/** What of one thing changed. */
export type Part = Pick<DefinitionChange, 'key' | 'before' | 'after' | 'effect'>;

export type Named = Readonly<Record<string, unknown>>;

export const sides = (before: string | undefined, after: string | undefined) => ({
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

/** Keys of one thing that changed, all but these; its name and place never count. */
export function parts(before: object, after: object, but: readonly string[] = []): Part[] {
  const [was, is] = [before as Named, after as Named];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => !['at', 'name', ...but].includes(key) && !isSameValue(was[key], is[key]))
    .map((key) => ({ key: writtenKey(key), ...sides(said(key, was[key]), said(key, is[key])) }));
}

/** Things of a section that came, went or changed. */
export function section<T>(
  name: DefinitionChange['section'],
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  compare: (before: T, after: T) => Part[],
  whole: (it: T) => string,
): DefinitionChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): DefinitionChange[] => {
    const [old, fresh] = [before[key], after[key]];
    const common = { section: name, name: key, affects: [] };
    if (old !== undefined && fresh !== undefined) return compare(old, fresh).map((part) => ({ ...common, ...part }));
    return [{ ...common, ...sides(old && whole(old), fresh && whole(fresh)) }];
  });
}
