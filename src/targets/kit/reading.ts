import type { Path } from '../../rules/types.ts';
import { asFile, type Comparison, differences } from './compare.ts';

/*
 * What the readers of all meshes need. They work by an allowlist: whatever they do not know is an error, which makes the
 * answer of `prove` "not proven".
 */

/** Something of an object that makes it unreadable. */
export const unreadable = (title: string, why: string): Error => new Error(`${title}: ${why}`);

/** Something that is unlike all that is rendered. */
export const unlike = (what: unknown): Error => new Error(`not as meshgate renders it: ${JSON.stringify(what)}`);

/** @throws Error for a member that is none of these */
export function checkMembers(value: object, known: readonly string[], title: string): void {
  const other = Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) throw unreadable(title, `"${other}" is nothing that meshgate renders`);
}

/**
 * Compares the whole of an object with what is rendered for what was understood of it: a member that differs may change
 * what the others mean.
 *
 * @param before what stands before the difference in the error
 * @throws Error that names the difference
 */
export function checkForm(understood: unknown, live: unknown, comparison: Comparison, before = ''): void {
  const [first] = differences(asFile(understood), live, comparison);
  if (first !== undefined) throw new Error(before + first);
}

/**
 * Paths in a list in which a prefix stands as the path itself and then as what is below it.
 *
 * @param part what an item says of paths; undefined: nothing that is known
 * @throws what `fail` makes of an item that is unknown or out of place
 */
export function pathsIn<T>(
  items: readonly T[],
  part: (item: T) => { readonly exact: string } | { readonly below: string } | undefined,
  fail: (item: T) => Error,
): readonly Path[] {
  const found: Path[] = [];
  for (const item of items) {
    const one = part(item);
    if (one === undefined) throw fail(item);
    if ('exact' in one) {
      found.push({ exact: one.exact });
      continue;
    }
    const last = found.at(-1);
    const isWhole = one.below === '' || (last !== undefined && 'exact' in last && last.exact === one.below);
    if (!isWhole) throw fail(item);
    if (one.below !== '') found.pop();
    found.push({ prefix: one.below, except: [] });
  }
  return found;
}
