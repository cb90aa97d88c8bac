import { covers } from '../../../src/rules/compare/cover.ts';
import type { Path } from '../../../src/rules/types.ts';

const baseOf = (path: Path): string => ('exact' in path ? path.exact : path.prefix);

const unique = (paths: readonly string[]): readonly string[] => [...new Set(paths)];

/** A segment that no exception of the path begins with; it does not begin as changes to a field end. */
function fresh(path: Path): string {
  const taken = 'exact' in path ? [] : path.except.map(baseOf);
  for (let word = 'q'; ; word += 'q') if (!taken.some((it) => it.startsWith(`${baseOf(path)}/${word}`))) return word;
}

/** Similar paths: a match without a boundary, or with an unescaped dot, would match them. */
function beside(path: string): readonly string[] {
  const dot = path.replace('.', 'x');
  return path === '' || path === '/' ? [] : [`${path}x`, `${path}.x`, ...(dot === path ? [] : [dot])];
}

/** Paths that the rule covers: itself, below it, and similar to its exceptions. */
export function insidePaths(path: Path): readonly string[] {
  if ('exact' in path) return [path.exact];
  const { prefix, except } = path;
  const word = fresh(path);
  const near = except.flatMap((part) => [...beside(baseOf(part)), `${baseOf(part)}/${word}`, `${baseOf(part)}/`]);
  const own = [`${prefix}/${word}`, prefix, `${prefix}/`, `${prefix}/${word}/`, `${prefix}/${word}/y.z`];
  return unique([...own, ...near]).filter((it) => covers(path, it));
}

/** Paths that it does not cover: above it, similar to it, and its exceptions. */
export function outsidePaths(path: Path): readonly string[] {
  const base = baseOf(path);
  const above = base.slice(0, base.lastIndexOf('/'));
  const case_ = base.replace(/[a-z]/, (letter) => letter.toUpperCase());
  const except = 'exact' in path ? [] : path.except;
  const left = except.flatMap((part) => [baseOf(part), `${baseOf(part)}/`, `${baseOf(part)}/x`]);
  const own = [...beside(base), `${base}/`, `${base}/x`, `${above}/`, above, case_, `${base.slice(0, -1)}`];
  return unique([...own, ...left]).filter((it) => it.startsWith('/') && !covers(path, it));
}

/** Other spellings of a path that a proxy might read as that path. */
export function nonCanonicalPaths(path: string): readonly string[] {
  const encoded = path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const last = path.lastIndexOf('/');
  return unique([
    `/${path}`,
    `/zz/..${path}`,
    `/.${path}`,
    `/zz/%2e%2e${path}`,
    `/zz%2f..${path}`,
    `${path.slice(0, last)}%2f${path.slice(last + 1)}`,
    `${path};a=b`,
    `${path.slice(0, last)};a${path.slice(last)}`,
    `${path.slice(0, last)}/zz\\..${path.slice(last)}`,
    `${path}%00`,
    `${path}%3bx`,
    `${path}#x`,
    encoded,
  ]).filter((it) => it !== path && it.startsWith('/'));
}
