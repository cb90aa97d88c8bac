import type { Path } from './types.ts';

/**
 * Whether a rule's path covers a decoded path. A prefix covers the path itself and all below it, on a segment:
 * `/rest` covers `/rest` and `/rest/x`, not `/restore`.
 */
export function covers(rule: Path, path: string): boolean {
  if ('exact' in rule) return path === rule.exact;
  const inside = path.startsWith(`${rule.prefix}/`) || (path === rule.prefix && path !== '');
  return inside && !rule.except.some((part) => covers(part, path));
}

/** A path of the rule that is no path of an exception: no policy has a NUL in it. */
const inner = (path: Path): string => ('exact' in path ? path.exact : `${path.prefix}/\0`);

/** Whether some path is covered by both. */
export function overlap(a: Path, b: Path): boolean {
  return [inner(a), inner(b)].some((path) => covers(a, path) && covers(b, path));
}
