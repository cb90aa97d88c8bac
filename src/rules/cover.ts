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
