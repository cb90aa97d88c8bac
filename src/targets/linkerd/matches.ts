import { pathAtoms } from '../../rules/atoms.ts';
import { NAMED, REST } from '../kit/methods.ts';
import { METHODS, NOBODY, type Paths, type Reach, sameReach, textOf, union } from '../kit/reach.ts';
import { isInside } from '../kit/rules.ts';
import type { Client } from './identity.ts';

/** A match of an HTTPRoute, and the clients that it allows. */
export interface Match {
  readonly path: { readonly type: 'Exact' | 'PathPrefix'; readonly value: string };
  readonly method?: string;
  readonly clients: readonly Client[];
  /** Whether it must win over the prefix of the same path. Linkerd compares the length of paths, exact or prefix, so
   * such a match is distinguished by its host. */
  readonly first: boolean;
}

/** The matches that enforce `reach` at a path where `otherwise` would apply without them. */
function matchesAt(path: Match['path'], first: boolean, reach: Reach<Client>, otherwise: Reach<Client>): Match[] {
  const clients = (method: string) => reach.get(method) ?? [];
  const differs = (method: string, from: Reach<Client>) => textOf(clients(method)) !== textOf(from.get(method) ?? []);
  const all = differs(REST, otherwise);
  const from: Reach<Client> = all ? new Map(METHODS.map((method) => [method, clients(REST)])) : otherwise;
  return [
    ...NAMED.filter((method) => differs(method, from)).map((method) => ({
      path,
      method,
      clients: clients(method),
      first,
    })),
    ...(all ? [{ path, clients: clients(REST), first }] : []),
  ];
}

/** Prefixes that have matches, longest first, and the clients that reach what is below them. */
class Prefixes {
  readonly #known: { readonly prefix: string; readonly reach: Reach<Client> }[] = [];

  /** The clients that reach a path by the prefixes so far. */
  at(path: string): Reach<Client> {
    return this.#known.find(({ prefix }) => isInside(path, prefix))?.reach ?? NOBODY;
  }

  has(path: string): boolean {
    const prefix = path === '/' ? '' : path;
    return this.#known.some((it) => it.prefix === prefix);
  }

  add(prefix: string, reach: Reach<Client>): void {
    this.#known.unshift({ prefix, reach });
  }
}

const byLength = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

/** The fewest matches by which Linkerd allows exactly the clients that the rules allow. The longest path wins; among
 * equal lengths, a match that names the method.
 *
 * @param apart whether an exact path can be distinguished from the prefix of the same length; otherwise both are one,
 * and a client that reaches one reaches the other
 */
export function matchesOf(paths: Paths<Client>, apart: boolean): readonly Match[] {
  const atoms = pathAtoms(paths.all);
  const points = atoms.filter(({ kind }) => kind === 'point').map(({ path }) => path);
  const below = new Map(atoms.filter(({ kind }) => kind === 'below').map(({ base, path }) => [base, path]));
  const prefixes = new Prefixes();
  const matches: Match[] = [];
  for (const base of [...below.keys()].sort(byLength)) {
    const value = base === '' ? '/' : base;
    const own = paths.at(below.get(base) as string);
    const reach = apart || !points.includes(value) ? own : union(own, paths.at(value));
    if (sameReach(reach, prefixes.at(base))) continue;
    matches.push(...matchesAt({ type: 'PathPrefix', value }, false, reach, prefixes.at(base)));
    prefixes.add(base, reach);
  }
  for (const value of points) {
    const first = prefixes.has(value);
    if (first && !apart) continue;
    matches.push(...matchesAt({ type: 'Exact', value }, first, paths.at(value), prefixes.at(value)));
  }
  return matches;
}

/** Exact paths that Linkerd cannot distinguish from the prefix of the same length by the path alone. */
export function tiesOf(paths: Paths<Client>): readonly string[] {
  const first = matchesOf(paths, true).filter((match) => match.first);
  return [...new Set(first.map(({ path }) => path.value))];
}
