import type { Path } from '../types.ts';

/** Whether a rule covers a decoded path. A prefix covers whole segments: `/rest` covers `/rest/x`, not `/restore`. */
export function covers(rule: Path, path: string): boolean {
  if ('exact' in rule) return path === rule.exact;
  const inside = path.startsWith(`${rule.prefix}/`) || (path === rule.prefix && path !== '');
  return inside && !rule.except.some((part) => covers(part, path));
}

/** Returns a path of the rule that is no exception: no path of a policy contains a NUL. */
const inner = (path: Path): string => ('exact' in path ? path.exact : `${path.prefix}/\0`);

export const overlap = (a: Path, b: Path): boolean =>
  [inner(a), inner(b)].some((path) => covers(a, path) && covers(b, path));
