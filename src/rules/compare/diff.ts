import type { Rule } from '../types.ts';
import type { MethodAtom, PathAtom } from './atoms.ts';
import { type Cell, cells } from './cells.ts';
import { divergences } from './compared-callers.ts';
import { type Affected, keepersOf, type MinimalChange, minimal } from './minimal.ts';
import type { Population } from './population.ts';
import { named } from './prove.ts';
import { ownRegion, type Region, regions } from './regions.ts';

/** Methods, as a policy writes them. */
export type Methods = 'all' | { readonly only: readonly string[] } | { readonly except: readonly string[] };

/** A change for callers who gain or lose access, or who reach another service or with another identity. */
export interface Change {
  readonly kind: 'gained' | 'changed' | 'lost';
  readonly who: Affected;
  readonly host: string;
  readonly paths: readonly Region[];
  readonly methods: Methods;
  readonly before?: Rule;
  readonly after?: Rule;
  /** Roles that keep access although all other callers, or callers with a role that they include, lose it. */
  readonly still: readonly string[];
}

interface Group extends Pick<Change, 'kind' | 'who' | 'host' | 'before' | 'after' | 'still'> {
  readonly cells: Map<MethodAtom, Set<PathAtom>>;
}

type Keepers = ReturnType<typeof keepersOf>;

function collect(groups: Map<string, Group>, cell: Cell, change: MinimalChange, keepers: Keepers): void {
  const { who, before, after } = change;
  const kind = before === undefined ? 'gained' : after === undefined ? 'lost' : 'changed';
  const still = after === undefined ? keepers(who) : [];
  const host = cell.host.name;
  const key = JSON.stringify([kind, who, host, before?.id, after?.id, still]);
  const rules = { ...(before && { before }), ...(after && { after }) };
  const group = groups.get(key) ?? { kind, who, host, ...rules, still, cells: new Map() };
  groups.set(key, group);
  const paths = group.cells.get(cell.method) ?? new Set();
  group.cells.set(cell.method, paths.add(cell.path));
}

function methodsOf(meant: readonly MethodAtom[], all: readonly MethodAtom[]): Methods {
  if (meant.length === all.length) return 'all';
  if (!meant.some(({ other }) => other)) return { only: meant.map(({ method }) => method) };
  return { except: all.filter((atom) => !meant.includes(atom)).map(({ method }) => method) };
}

function pathsOf(group: Group, all: readonly PathAtom[], meant: ReadonlySet<PathAtom>): readonly Region[] {
  for (const rule of [group.after, group.before]) {
    const own = rule && ownRegion(rule.path, all, meant);
    if (own !== undefined) return [own];
  }
  return regions(all, meant);
}

/** Returns one change for each set of paths that have the same methods. */
function changes(group: Group, paths: readonly PathAtom[], methods: readonly MethodAtom[]): Change[] {
  const byPaths = new Map<string, { readonly meant: ReadonlySet<PathAtom>; readonly methods: MethodAtom[] }>();
  for (const [method, meant] of group.cells) {
    const key = JSON.stringify([...meant].map(({ kind, base }) => [kind, base]));
    const found = byPaths.get(key) ?? { meant, methods: [] };
    byPaths.set(key, found);
    found.methods.push(method);
  }
  const { cells: _, ...rest } = group;
  return [...byPaths.values()].map((one) => ({
    ...rest,
    paths: pathsOf(group, paths, one.meant),
    methods: methodsOf(one.methods, methods),
  }));
}

const ORDER: readonly Change['kind'][] = ['gained', 'changed', 'lost'];

/** Returns which callers gain or lose access. Compares the requests that the rules allow, not their texts. */
export function diff(before: readonly Rule[], after: readonly Rule[], population: Population): readonly Change[] {
  const groups = new Map<string, Group>();
  const paths = new Map<string, Set<PathAtom>>();
  const methods = new Set<MethodAtom>();
  for (const cell of cells(before, after)) {
    paths.set(cell.host.name, (paths.get(cell.host.name) ?? new Set()).add(cell.path));
    methods.add(cell.method);
    const found = minimal([...divergences(cell.left, cell.right, [named, named], population)]);
    if (found.length === 0) continue;
    const keepers = keepersOf(cell.right, population.implied);
    for (const change of found) collect(groups, cell, change, keepers);
  }
  const all = [...groups.values()].flatMap((group) => changes(group, [...(paths.get(group.host) ?? [])], [...methods]));
  return ORDER.flatMap((kind) => all.filter((change) => change.kind === kind));
}
