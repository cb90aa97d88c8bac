import type { Path } from '../../rules/types.ts';
import type { Files } from '../types.ts';
import { asFile, type CompareOptions, differences } from './compare.ts';

/* Functions for the readers of all meshes. A reader accepts only what it knows. Anything else is an error, and the
 * result of `prove` is then "not proven". */

/** Parses files only once. `prove` reads them several times, and parsing takes the most time. */
export function perFiles<T>(parse: (files: Files) => T): (files: Files) => T {
  const parsed = new WeakMap<Files, T>();
  return (files) => {
    const found = parsed.get(files) ?? parse(files);
    parsed.set(files, found);
    return found;
  };
}

/** The error for a part of an object that cannot be read. */
export const unreadable = (title: string, why: string): Error => new Error(`${title}: ${why}`);

/** The error for something that meshgate never renders. */
export const unlike = (what: unknown): Error => new Error(`not as meshgate renders it: ${JSON.stringify(what)}`);

/** Checks that an object has only the listed members, and throws an Error for any other. */
export function checkMembers(value: object, known: readonly string[], title: string): void {
  const other = Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) throw unreadable(title, `meshgate does not render "${other}"`);
}

/** Compares an object with what meshgate would render for the part that the reader understood. If another member
 * differs, it may change the meaning of this part.
 * @param before the text before the difference in the error
 * @throws Error that names the difference */
export function requireSameForm(understood: unknown, live: unknown, comparison: CompareOptions, before = ''): void {
  const [first] = differences(asFile(understood), live, comparison);
  if (first !== undefined) throw new Error(before + first);
}

/** Reads paths from a list in which a prefix has two items: the path itself, and then the paths below it.
 * @param part returns the path of an item; undefined if the item is unknown
 * @throws the error of `fail` for an item that is unknown or in the wrong position */
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
    const isComplete = one.below === '' || (last !== undefined && 'exact' in last && last.exact === one.below);
    if (!isComplete) throw fail(item);
    if (one.below !== '') found.pop();
    found.push({ prefix: one.below, except: [] });
  }
  return found;
}
