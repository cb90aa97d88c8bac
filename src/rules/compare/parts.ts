import type { Named as DefinedKind } from '../../policy/forms/hints.ts';
import { writtenKey } from '../../policy/forms/mapping.ts';
import { declared, isSameValue } from './declared.ts';
import type { Effect } from './role-changes.ts';

/** A definition of the policy that rules depend on, and what changed in it. */
export interface DefinitionChange {
  readonly section: DefinedKind | 'gateway' | 'mesh' | 'team' | 'host' | 'route' | 'header';
  /** The name in the section; for a host or a route, the name of the part that changed. */
  readonly name: string;
  /** The key that changed, as policies write it; absent: the whole definition changed. */
  readonly key?: string;
  /** The values as text; absent: the definition or key did not exist before, or no longer exists. */
  readonly before?: string;
  readonly after?: string;
  /** The roles that include this role, or the places where a header is sent. */
  readonly affects: readonly string[];
  /** Whether more or fewer callers have the role; absent if that is unknown. */
  readonly effect?: Effect;
  /** The ids of the new rules that name this role, or a role that includes it. */
  readonly rules?: readonly string[];
}

export type Part = Pick<DefinitionChange, 'key' | 'before' | 'after' | 'effect'>;

export type Named = Readonly<Record<string, unknown>>;

export const sides = (before: string | undefined, after: string | undefined) => ({
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

/** Returns the keys that changed, except those in `but`. Names and places are ignored. */
export function parts(before: object, after: object, but: readonly string[] = []): Part[] {
  const [was, is] = [before as Named, after as Named];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => !['at', 'name', ...but].includes(key) && !isSameValue(was[key], is[key]))
    .map((key) => ({ key: writtenKey(key), ...sides(declared(key, was[key]), declared(key, is[key])) }));
}

export function section<T extends object>(
  name: DefinitionChange['section'],
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  entire: (it: T) => string,
  compare: (before: T, after: T) => Part[] = (old, fresh) => parts(old, fresh),
): DefinitionChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): DefinitionChange[] => {
    const [old, fresh] = [before[key], after[key]];
    const common = { section: name, name: key, affects: [] };
    if (old !== undefined && fresh !== undefined) return compare(old, fresh).map((part) => ({ ...common, ...part }));
    return [{ ...common, ...sides(old && entire(old), fresh && entire(fresh)) }];
  });
}
