import type { Paths } from './expressions.ts';
import type { DraftRoute, Mapping, Rule } from './new-policy.ts';

/** A service of another product, with the paths that it serves. The longest path wins, and an exact one before others. */
export interface Served {
  readonly paths: Paths;
  readonly service: string;
  /** Further keys of its routes. */
  readonly keys?: Mapping;
  /** The rules of these paths; absent: those of all. */
  readonly allow?: readonly Rule[];
}

/** Paths that anyone may reach. */
export interface Open {
  readonly paths: Paths;
  /** Absent: with all methods. */
  readonly methods?: readonly string[];
}

/** Returns open paths of which no two differ in case only, because a policy cannot have both. */
export function withoutOtherCase(open: readonly Open[]): readonly Open[] {
  const spelled = new Map<string, string>();
  return open.filter(({ paths: { path } }) => {
    const first = spelled.get(path.toLowerCase()) ?? path;
    spelled.set(path.toLowerCase(), first);
    return first === path;
  });
}

/** A place in the tree of paths: a path alone, or a path with everything below it. */
interface Node {
  readonly kind: 'exact' | 'prefix';
  readonly path: string;
}

const isAtOrBelow = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`);

/** Whether all paths of a node are among some paths. */
export function covers({ kind, path }: Paths, node: Node): boolean {
  if (kind === 'exact') return node.kind === 'exact' && node.path === path;
  if (kind === 'prefix') return isAtOrBelow(node.path, path);
  return node.path === path ? node.kind === 'prefix' : isAtOrBelow(node.path, path);
}

const nodesOf = ({ kind, path }: Paths): readonly Node[] => {
  if (kind === 'exact') return [{ kind, path }];
  const prefix: Node = { kind: 'prefix', path };
  return kind === 'prefix' ? [prefix] : [prefix, { kind: 'exact', path }];
};

const routeOf = ({ kind, path }: Node): string => (kind === 'exact' ? path : `${path}/*`);

function servedBy(served: readonly Served[], node: Node): Served | undefined {
  const those = served.filter(({ paths }) => covers(paths, node));
  const rank = ({ paths }: Served) => paths.path.length * 2 + (paths.kind === 'exact' ? 1 : 0);
  return those.reduce<Served | undefined>((best, it) => (best && rank(best) >= rank(it) ? best : it), undefined);
}

/** Who serves what is below a path. A prefix of a policy has the path itself, too, although nothing served it before. */
const belowAt = (served: readonly Served[], { kind, path }: Node): Served | undefined =>
  kind === 'exact' ? served.find((it) => it.paths.kind === 'below' && it.paths.path === path) : undefined;

/** The methods that anyone may use at a node: all, or some of them. */
function openTo(open: readonly Open[], node: Node): 'all' | readonly string[] {
  const those = open.filter(({ paths }) => covers(paths, node));
  if (those.some(({ methods }) => methods === undefined)) return 'all';
  const methods = [...new Set(those.flatMap((it) => it.methods ?? []))];
  return methods.includes('GET') ? methods.filter((it) => it !== 'HEAD') : methods;
}

function rulesOf(methods: 'all' | readonly string[], usual: readonly Rule[]): readonly Rule[] {
  if (methods === 'all') return ['anyone'];
  return methods.length === 0 ? usual : [{ who: 'anyone', methods }, ...usual];
}

/** Returns the routes of a host. Each path has the service that served it before, and no path that needed a credential
 * becomes open.
 * @param usual the rules for callers with a credential */
export function routesFor(
  served: readonly Served[],
  open: readonly Open[],
  usual: readonly Rule[],
): Record<string, DraftRoute> {
  const all = [...served.map(({ paths }) => paths), ...open.map(({ paths }) => paths)].flatMap(nodesOf);
  const nodes = [...new Map(all.map((node) => [routeOf(node), node] as const)).values()];
  nodes.sort((a, b) => a.path.length - b.path.length || (a.kind === 'prefix' ? -1 : 1));
  const routes: Record<string, DraftRoute> = {};
  const kept: { readonly node: Node; readonly declared: string }[] = [];
  for (const node of nodes) {
    const by = servedBy(served, node) ?? belowAt(served, node);
    if (by === undefined) continue;
    const allow = rulesOf(openTo(open, node), by.allow ?? usual);
    const route: DraftRoute = { service: by.service, allow, ...by.keys };
    const declared = JSON.stringify(route);
    const above = kept.filter((it) => it.node.kind === 'prefix' && isAtOrBelow(node.path, it.node.path)).at(-1);
    if (above?.declared === declared) continue;
    kept.push({ node, declared });
    routes[routeOf(node)] = route;
  }
  return routes;
}
