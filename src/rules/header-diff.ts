import type { Headers, Policy } from '../policy/types.ts';
import type { PathAtom } from './atoms.ts';
import { cells } from './cells.ts';
import { regions } from './regions.ts';
import type { Rule } from './types.ts';

/** An identity header that a service receives from elsewhere than before, or no longer, on some paths of a host. */
export interface HeaderChange {
  readonly name: string;
  /** Where the value comes from, as JSON; absent: the header is not sent. */
  readonly before?: string;
  readonly after?: string;
  /** Host and path as policies write them. */
  readonly on: readonly string[];
}

interface Place {
  readonly atoms: PathAtom[];
  /** Route of each path, on both sides; empty where there is none. */
  readonly routes: Map<PathAtom, readonly [before: string, after: string]>;
}

/** The routes that each path takes on both sides, by host. */
function placesOf(before: readonly Rule[], after: readonly Rule[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { host, path, left, right } of cells(before, after)) {
    const place: Place = places.get(host.name) ?? { atoms: [], routes: new Map() };
    places.set(host.name, place);
    const known = place.routes.get(path);
    if (known === undefined) place.atoms.push(path);
    place.routes.set(path, [known?.[0] || left[0]?.route || '', known?.[1] || right[0]?.route || '']);
  }
  return places;
}

function headersOf(policy: Policy): ReadonlyMap<string, Headers> {
  return new Map(policy.hosts.flatMap((host) => host.routes.map((route) => [route.name, route.headers])));
}

const source = (headers: Headers, name: string): string | undefined => JSON.stringify(headers[name]);

function* changedNames(before: Headers, after: Headers): Generator<Pick<HeaderChange, 'name' | 'before' | 'after'>> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [source(before, name), source(after, name)];
    if (was !== is) yield { name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) };
  }
}

/** Identity headers that changed on paths that are open to somebody in both policies. */
export function headerChanges(
  before: { readonly policy: Policy; readonly rules: readonly Rule[] },
  after: { readonly policy: Policy; readonly rules: readonly Rule[] },
): readonly HeaderChange[] {
  const [old, fresh] = [headersOf(before.policy), headersOf(after.policy)];
  const found = new Map<string, HeaderChange>();
  for (const [host, { atoms, routes }] of placesOf(before.rules, after.rules)) {
    const own = new Map<string, { readonly change: Omit<HeaderChange, 'on'>; readonly meant: Set<PathAtom> }>();
    for (const [atom, [was, is]] of routes) {
      const [left, right] = [old.get(was), fresh.get(is)];
      if (left === undefined || right === undefined) continue;
      for (const change of changedNames(left, right)) {
        const key = JSON.stringify(change);
        own.set(key, { change, meant: (own.get(key)?.meant ?? new Set<PathAtom>()).add(atom) });
      }
    }
    for (const [key, { change, meant }] of own) {
      const on = regions(atoms, meant).map(
        ({ path, except }) => `${host}${path}${except.length === 0 ? '' : ` (but ${except.join(', ')})`}`,
      );
      found.set(key, { ...change, on: [...(found.get(key)?.on ?? []), ...on] });
    }
  }
  return [...found.values()];
}
