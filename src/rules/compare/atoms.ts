import { hostNamed, isWildcard } from '../../base/host-name.ts';
import type { Path, Rule } from '../types.ts';

/** A set of paths between which no rule of either side distinguishes. One of the paths represents the set. */
export interface PathAtom {
  readonly path: string;
  /** `point`: only this path; `below`: all paths below it that belong to no other atom. */
  readonly kind: 'point' | 'below';
  /** The path as policies write it, without the `/*` of `below`. */
  readonly base: string;
}

export interface HostAtom {
  readonly host: string;
  /** The name as policies write it. A wildcard stands for all names that match it and have no atom of their own. */
  readonly name: string;
}

export interface MethodAtom {
  readonly method: string;
  /** Whether the atom stands for all methods that no rule names. */
  readonly other: boolean;
}

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort(byText);

/** Returns a segment or a label that no rule uses. */
function fresh(isTaken: (word: string) => boolean): string {
  for (let word = 'x'; ; word += 'x') if (!isTaken(word)) return word;
}

/** Returns the host names that rules distinguish. Names without a rule are not included. */
export function hostAtoms(rules: readonly Pick<Rule, 'host'>[]): readonly HostAtom[] {
  const names = sorted(rules.map((rule) => rule.host));
  return names.map((name) => {
    if (!isWildcard(name)) return { host: name, name };
    const label = fresh((word) => names.includes(word + name.slice(1)));
    return { host: label + name.slice(1), name };
  });
}

/** Returns the host that receives requests for a name: the host with this name, or the longest wildcard. */
export function hostOf(names: readonly string[], host: string): string | undefined {
  if (names.includes(host)) return host;
  const wild = names.filter(isWildcard).map((name) => ({ name }));
  return hostNamed(wild, host)?.name;
}

function boundaries(path: Path, exact: Set<string>, prefix: Set<string>): void {
  if ('exact' in path) {
    exact.add(path.exact);
    return;
  }
  prefix.add(path.prefix);
  for (const part of path.except) boundaries(part, exact, prefix);
}

/** Returns the paths that rules distinguish: each path that a rule names, and the other paths below each prefix. */
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

/** nginx itself refuses these methods, even if a rule allows them. */
const REFUSED = ['TRACE', 'CONNECT'];

const OTHERS = ['PATCH', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'GET'];

/** Returns the methods that rules distinguish: each method that a rule names, and all others together. */
export function methodAtoms(rules: readonly Rule[]): readonly MethodAtom[] {
  const named = sorted(rules.flatMap((rule) => rule.methods ?? [])).filter((method) => !REFUSED.includes(method));
  const other = OTHERS.find((method) => !named.includes(method)) ?? fresh((word) => named.includes(word.toUpperCase()));
  return [
    ...named.map((method): MethodAtom => ({ method, other: false })),
    { method: other.toUpperCase(), other: true },
  ];
}
