import type { Path, Rule } from './types.ts';

/** Requests that no rule of either side tells apart, stood for by one of them. */
export interface PathAtom {
  /** A path of it. */
  readonly path: string;
  /** The path itself; or all below it that no other atom has. */
  readonly kind: 'point' | 'below';
  /** The path as policies write it, without the `/*` of {@link kind} below. */
  readonly base: string;
}

export interface HostAtom {
  /** A host name of it. */
  readonly host: string;
  /** As policies write it: a name, or a wildcard less all that is named. */
  readonly name: string;
}

export interface MethodAtom {
  readonly method: string;
  /** Stands for every method that no rule names. */
  readonly other: boolean;
}

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort(byText);

/** A segment, or label, that makes a new name. */
function fresh(isTaken: (word: string) => boolean): string {
  for (let word = 'x'; ; word += 'x') if (!isTaken(word)) return word;
}

/** The host names that two lists of rules tell apart, but for those that neither has. */
export function hostAtoms(rules: readonly Pick<Rule, 'host'>[]): readonly HostAtom[] {
  const names = sorted(rules.map((rule) => rule.host));
  return names.map((name) => {
    if (!name.startsWith('*.')) return { host: name, name };
    const label = fresh((word) => names.includes(word + name.slice(1)));
    return { host: label + name.slice(1), name };
  });
}

/** The host of a side that takes a name: exact, then the longest wildcard. */
export function hostOf(names: readonly string[], host: string): string | undefined {
  if (names.includes(host)) return host;
  const wild = names.filter((name) => name.startsWith('*.') && host.endsWith(name.slice(1)));
  return wild.sort((a, b) => b.length - a.length)[0];
}

function boundaries(path: Path, exact: Set<string>, prefix: Set<string>): void {
  if ('exact' in path) {
    exact.add(path.exact);
    return;
  }
  prefix.add(path.prefix);
  for (const part of path.except) boundaries(part, exact, prefix);
}

/**
 * The paths that rules tell apart: each path that one of them names, and for each prefix all below it that is below no
 * longer prefix and not named.
 */
export function pathAtoms(paths: Iterable<Path>): readonly PathAtom[] {
  const exact = new Set<string>();
  const prefix = new Set<string>();
  for (const path of paths) boundaries(path, exact, prefix);
  const points = sorted([...exact, ...prefix].filter((path) => path !== ''));
  const firsts = new Set(points.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))));
  const taken = new Set([...points, ...firsts]);
  return [
    ...points.map((path): PathAtom => ({ path, kind: 'point', base: path })),
    ...sorted(prefix).map((base): PathAtom => {
      const word = fresh((it) => taken.has(`${base}/${it}`));
      return { path: `${base}/${word}`, kind: 'below', base };
    }),
  ];
}

/** nginx refuses these by itself, whatever the rules say. */
const REFUSED = ['TRACE', 'CONNECT'];

const OTHERS = ['PATCH', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'GET'];

/** The methods that rules tell apart: those that one of them names, and all others. */
export function methodAtoms(rules: readonly Rule[]): readonly MethodAtom[] {
  const named = sorted(rules.flatMap((rule) => rule.methods ?? [])).filter((method) => !REFUSED.includes(method));
  const other = OTHERS.find((method) => !named.includes(method)) ?? fresh((word) => named.includes(word.toUpperCase()));
  return [
    ...named.map((method): MethodAtom => ({ method, other: false })),
    { method: other.toUpperCase(), other: true },
  ];
}
