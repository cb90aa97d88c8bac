import type { Path } from '../types.ts';
import type { PathAtom } from './atoms.ts';
import { covers } from './cover.ts';

/** Paths as a policy writes them: `/x` or `/x/*`, without the exceptions. */
export interface Region {
  readonly path: string;
  readonly except: readonly string[];
}

export const written = (path: Path): string => ('exact' in path ? path.exact : `${path.prefix}/*`);

const isBelow = (path: string, prefix: string): boolean => path !== prefix && path.startsWith(`${prefix}/`);

/** The atoms of a host as a tree. It writes the chosen atoms (`meant`) as patterns. */
class Tree {
  readonly #prefixes: readonly string[];
  readonly #points: readonly string[];
  readonly #below: ReadonlySet<string>;
  readonly #exact: ReadonlySet<string>;

  constructor(all: readonly PathAtom[], meant: ReadonlySet<PathAtom>) {
    const bases = (kind: PathAtom['kind'], of: Iterable<PathAtom>) =>
      [...of].filter((atom) => atom.kind === kind).map(({ base }) => base);
    // The longest prefix comes first, so that the first match is the closest one.
    this.#prefixes = bases('below', all).sort((a, b) => b.length - a.length);
    this.#points = bases('point', all);
    this.#below = new Set(bases('below', meant));
    this.#exact = new Set(bases('point', meant));
  }

  #parent(path: string): string | undefined {
    return this.#prefixes.find((prefix) => isBelow(path, prefix));
  }

  #isMeant(prefix: string | undefined): boolean {
    return prefix !== undefined && this.#below.has(prefix);
  }

  #exceptions(prefix: string): string[] {
    const own = prefix === '' || this.#exact.has(prefix) ? [] : [prefix];
    const points = this.#points.filter(
      (path) => !this.#exact.has(path) && !this.#prefixes.includes(path) && this.#parent(path) === prefix,
    );
    const inner = this.#prefixes.filter((other) => this.#parent(other) === prefix);
    return [
      ...own,
      ...points,
      ...inner.flatMap((other) => (this.#isMeant(other) ? this.#exceptions(other) : [`${other}/*`])),
    ];
  }

  regions(): Region[] {
    const prefixes = this.#prefixes.filter((prefix) => this.#isMeant(prefix) && !this.#isMeant(this.#parent(prefix)));
    const owner = (path: string) => (this.#prefixes.includes(path) ? path : this.#parent(path));
    const points = [...this.#exact].filter((path) => !this.#isMeant(owner(path)));
    return [
      ...prefixes.map((prefix) => ({ path: `${prefix}/*`, except: this.#exceptions(prefix).sort() })),
      ...points.map((path) => ({ path, except: [] })),
    ].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** Writes a set of paths with as few patterns as possible; `all` are the atoms of the host. */
export const regions = (all: readonly PathAtom[], meant: ReadonlySet<PathAtom>): readonly Region[] =>
  new Tree(all, meant).regions();

/** Returns the route's path if exactly its paths are chosen. The exceptions belong to other routes. */
export function ownRegion(path: Path, all: readonly PathAtom[], meant: ReadonlySet<PathAtom>): Region | undefined {
  const same = all.every((atom) => covers(path, atom.path) === meant.has(atom));
  return same ? { path: written(path), except: [] } : undefined;
}

export const regionText = (host: string, { path, except }: Region): string =>
  `${host}${path}${except.length === 0 ? '' : ` (but ${except.join(', ')})`}`;
