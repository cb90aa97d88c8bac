import { HOST_NAME } from '../forms/addresses.ts';
import { quote } from '../forms/path.ts';
import { find, type Mapping, type Tree, type TreeProblem } from '../read/tree.ts';

/** Makes the `name` of a host its key, so that everything else reads only keys. The name is a value, so an overlay or a
 * variable can set it. A name of the wrong form stays in place, for the schema to report it. */
export function nameHosts(tree: Tree, problem: (problem: TreeProblem) => void): void {
  const hosts = find(tree, ['hosts']);
  if (tree.kind !== 'map' || hosts?.kind !== 'map') return;
  const all = [...hosts.entries].map(([key, entry]) => ({ key, entry, named: parted(entry.node) }));
  const taken = new Set(all.flatMap(({ key, named }) => (named === undefined ? [key] : [])));
  const entries: Mapping['entries'] = new Map();
  for (const { key, entry, named } of all) {
    if (named === undefined) entries.set(key, entry);
    else if (taken.has(named.name)) {
      const message = `another host is named ${quote(named.name)}; keep one`;
      problem({ at: named.at, path: ['hosts', key, 'name'], message });
      entries.set(key, { at: entry.at, node: named.rest });
    } else {
      taken.add(named.name);
      entries.set(named.name, { at: entry.at, node: named.rest });
    }
  }
  tree.entries.set('hosts', { at: tree.entries.get('hosts')?.at ?? hosts.at, node: { ...hosts, entries } });
}

/** The name of a host, and the host without it; undefined if the host has no valid name. */
function parted(node: Tree): { readonly name: string; readonly at: number; readonly rest: Mapping } | undefined {
  const name = node.kind === 'map' ? node.entries.get('name')?.node : undefined;
  if (node.kind !== 'map' || name?.kind !== 'scalar' || typeof name.value !== 'string') return undefined;
  if (!HOST_NAME.test(name.value)) return undefined;
  const entries = new Map([...node.entries].filter(([key]) => key !== 'name'));
  return { name: name.value, at: name.at, rest: { ...node, entries } };
}
