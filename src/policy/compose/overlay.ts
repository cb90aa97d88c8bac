import { type Bare, child, choose, takes, unwrap } from '../forms/descend.ts';
import { type Path, quote, ROUTES } from '../forms/path.ts';
import { nearest } from '../read/suggest.ts';
import { find, type Mapping, type TreeProblem } from '../read/tree.ts';
import { DEFAULT_HEADERS } from '../schema/headers.ts';
import { policySchema } from '../schema/policy.ts';

/** Merges an overlay into a policy: mappings key by key, everything else as a whole. `null` removes a key.
 * @param unread - sections whose mistakes are already reported, so that the overlay has no effect on them */
export function overlaid(
  policy: Mapping,
  overlay: Mapping,
  unread: ReadonlySet<string>,
  problem: (problem: TreeProblem) => void,
): Mapping {
  const nulls: Path[] = [];
  const entries = [...overlay.entries].filter(([key]) => !unread.has(key) && isAllowed(policy, overlay, key, problem));
  const merged = merge(policy, { ...overlay, entries: new Map(entries) }, unwrap(policySchema), [], nulls, problem);
  for (const path of nulls) dropVain(merged, path);
  return merged;
}

/** Whether an overlay may change this section: all except the version. */
function isAllowed(
  policy: Mapping,
  { entries }: Mapping,
  key: string,
  problem: (problem: TreeProblem) => void,
): boolean {
  const entry = entries.get(key);
  const version = policy.entries.get('version')?.node;
  if (key !== 'version' || entry === undefined || version?.kind !== 'scalar') return true;
  if (entry.node.kind === 'scalar' && entry.node.value === version.value) return true;
  const message = 'an overlay has the version of its policy; write the same, or leave it out';
  problem({ at: entry.node.at, path: [key], message });
  return false;
}

function merge(
  into: Mapping,
  from: Mapping,
  schema: Bare | undefined,
  path: Path,
  nulls: Path[],
  problem: (problem: TreeProblem) => void,
): Mapping {
  // A new mapping: an alias may use the old one in another place.
  const entries = new Map(into.entries);
  for (const [key, { at, node }] of from.entries) {
    const here = [...path, key];
    const below = entryOf(schema, path, key);
    const old = entries.get(key)?.node;
    const isNull = node.kind === 'scalar' && node.value === null;
    if (isNull && node.unsaid) {
      problem({ at, path: here, message: 'the value is missing; write it, or null to remove this from the policy' });
    } else if (isNull && below && takes(below.schema, null)) {
      entries.set(key, { at, node });
      if (old !== undefined) nulls.push(here);
    } else if (isNull) {
      if (!entries.delete(key)) problem({ at, path: here, message: nothingToRemove(key, [...entries.keys()]) });
    } else if (node.kind === 'map' && old?.kind === 'map' && !below?.hint?.entire) {
      entries.set(key, { at: entries.get(key)?.at ?? at, node: merge(old, node, below, here, nulls, problem) });
    } else {
      entries.set(key, { at, node });
    }
  }
  return { kind: 'map', at: into.at, overlaid: from.at, entries };
}

function nothingToRemove(key: string, keys: readonly string[]): string {
  const meant = nearest(key, keys);
  const instead = meant === undefined ? 'remove this line' : `did you mean ${quote(meant)}?`;
  return `no effect: the policy has no ${quote(key)} here; ${instead}`;
}

/** The schema of an entry. In a file, the routes of a host are beside its other keys. */
export function entryOf(schema: Bare | undefined, path: Path, key: string): Bare | undefined {
  const chosen = schema && choose(schema, {});
  const isRoute = path.length === 2 && path[0] === 'hosts' && key.startsWith('/');
  return isRoute ? child(child(chosen, ROUTES), key) : child(chosen, key);
}

/** Removes the `null` that an overlay has put in place of a value, if no outer part has a value that it would cancel. */
function dropVain(tree: Mapping, path: Path): void {
  const tail = path.slice(path.at(-2) === 'headers' ? -2 : -1);
  const outers = [path.slice(0, 2), []].filter((outer) => outer.length + tail.length < path.length);
  if (outers.some((outer) => hasValue(tree, outer, tail))) return;
  const parent = find(tree, path.slice(0, -1));
  if (parent?.kind === 'map') parent.entries.delete(String(path.at(-1)));
}

/** Whether a host, or the policy as a whole, has the header, the limit or the other key at the end of a path. */
function hasValue(tree: Mapping, outer: Path, tail: Path): boolean {
  const [key = '', header] = tail;
  const isComplete = outer.length === 0;
  const found = find(tree, isComplete && key === 'limit' ? ['gateway', 'limits'] : [...outer, key]);
  if (header === undefined) return found !== undefined;
  const names = found?.kind === 'map' ? [...found.entries.keys()] : isComplete ? Object.keys(DEFAULT_HEADERS) : [];
  return names.some((it) => it.toLowerCase() === String(header).toLowerCase());
}
