import { pathAtoms } from '../../rules/compare/atoms.ts';
import { NAMED, REST } from '../kit/methods.ts';
import { MESH_METHODS, NO_CALLERS, namesKey, type Reach, type RulesByPath, sameReach, union } from '../kit/reach.ts';
import { isInside } from '../kit/rules.ts';
import type { MeshPeer } from './mesh-identity.ts';

/** A match of an HTTPRoute, with the clients that it allows. */
export interface RouteMatch {
  readonly path: { readonly type: 'Exact' | 'PathPrefix'; readonly value: string };
  readonly method?: string;
  readonly clients: readonly MeshPeer[];
  /** Whether the match must take precedence over the prefix of the same path. Linkerd compares only the lengths of
   * exact paths and prefixes, so such a match needs a route with a more specific host. */
  readonly first: boolean;
}

/** The matches that enforce `reach` at a path. Without them, `otherwise` would apply there. */
function matchesAt(
  path: RouteMatch['path'],
  first: boolean,
  reach: Reach<MeshPeer>,
  otherwise: Reach<MeshPeer>,
): RouteMatch[] {
  const clients = (method: string) => reach.get(method) ?? [];
  const differs = (method: string, from: Reach<MeshPeer>) =>
    namesKey(clients(method)) !== namesKey(from.get(method) ?? []);
  const all = differs(REST, otherwise);
  const from: Reach<MeshPeer> = all ? new Map(MESH_METHODS.map((method) => [method, clients(REST)])) : otherwise;
  return [
    ...NAMED.flatMap((method) => (differs(method, from) ? { path, method, clients: clients(method), first } : [])),
    ...(all ? [{ path, clients: clients(REST), first }] : []),
  ];
}

const byLength = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

/** The smallest list of matches with which Linkerd allows exactly the clients that the rules allow. The longest path
 * takes precedence. If two paths have the same length, the match that names the method takes precedence.
 * @param apart whether Linkerd can distinguish an exact path from the prefix of the same length. If not, both are one,
 * and a client that reaches one of them reaches both. */
export function matchesOf(paths: RulesByPath<MeshPeer>, apart: boolean): readonly RouteMatch[] {
  const atoms = pathAtoms(paths.all);
  const points = atoms.filter(({ kind }) => kind === 'point').map(({ path }) => path);
  const below = new Map(atoms.filter(({ kind }) => kind === 'below').map(({ base, path }) => [base, path]));
  // The prefixes that have matches, with the clients that reach the paths below them. The longest comes first.
  const prefixes: { readonly prefix: string; readonly reach: Reach<MeshPeer> }[] = [];
  const around = (path: string) => prefixes.find(({ prefix }) => isInside(path, prefix))?.reach ?? NO_CALLERS;
  const matches: RouteMatch[] = [];
  for (const base of [...below.keys()].sort(byLength)) {
    const value = base === '' ? '/' : base;
    const own = paths.at(below.get(base) as string);
    const reach = apart || !points.includes(value) ? own : union(own, paths.at(value));
    if (sameReach(reach, around(base))) continue;
    matches.push(...matchesAt({ type: 'PathPrefix', value }, false, reach, around(base)));
    prefixes.unshift({ prefix: base, reach });
  }
  for (const value of points) {
    const first = prefixes.some(({ prefix }) => prefix === (value === '/' ? '' : value));
    if (first && !apart) continue;
    matches.push(...matchesAt({ type: 'Exact', value }, first, paths.at(value), around(value)));
  }
  return matches;
}

/** Exact paths that Linkerd cannot distinguish, by the path alone, from the prefix of the same length. */
export function tiesOf(paths: RulesByPath<MeshPeer>): readonly string[] {
  const first = matchesOf(paths, true).filter((match) => match.first);
  return [...new Set(first.map(({ path }) => path.value))];
}
