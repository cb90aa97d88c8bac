import { writtenKey } from '../policy/mapping.ts';
import type { Effect } from './role-changes.ts';
import { isSameValue, said } from './said.ts';

/** A definition of the policy that rules depend on, and what changed in it. */
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
  /** Name of the provider, role, identity, service or header; for a host or a route, the changed part. */
  readonly name: string;
  /** The changed key, as policies write it; absent: the whole definition. */
  readonly key?: string;
  /** As text; absent: it did not exist, or no longer exists. */
  readonly before?: string;
  readonly after?: string;
  /** Roles that include this one; for a header, the places where it is sent, as policies write them. */
  readonly affects: readonly string[];
  /** Whether more or fewer callers have a role, if that is known. */
  readonly effect?: Effect;
  /** Ids of the new policy's rules that name this role or one that includes it. */
  readonly rules?: readonly string[];
}

/** The change of one key. */
export type Part = Pick<DefinitionChange, 'key' | 'before' | 'after' | 'effect'>;

export type Named = Readonly<Record<string, unknown>>;

export const sides = (before: string | undefined, after: string | undefined) => ({
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

/** Keys that changed, except the given ones; name and place never count. */
export function parts(before: object, after: object, but: readonly string[] = []): Part[] {
  const [was, is] = [before as Named, after as Named];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => !['at', 'name', ...but].includes(key) && !isSameValue(was[key], is[key]))
    .map((key) => ({ key: writtenKey(key), ...sides(said(key, was[key]), said(key, is[key])) }));
}

/** Definitions of a section that were added, removed or changed. */
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
