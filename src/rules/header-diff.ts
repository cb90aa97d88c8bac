import type { Headers, Policy } from '../policy/types.ts';
import type { PathAtom } from './atoms.ts';
import { placesOf } from './places.ts';
import { regions, regionText } from './regions.ts';

/** An identity header whose source changed, or that is no longer sent, on some paths of a host. */
export interface HeaderChange {
  readonly name: string;
  /** The source of the value, as JSON; absent: the header is not sent. */
  readonly before?: string;
  readonly after?: string;
  /** Hosts and paths, as policies write them. */
  readonly on: readonly string[];
}

const source = (headers: Headers, name: string): string | undefined => JSON.stringify(headers[name]);

function* changedNames(before: Headers, after: Headers): Generator<Pick<HeaderChange, 'name' | 'before' | 'after'>> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [source(before, name), source(after, name)];
    if (was !== is) yield { name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) };
  }
}

/** Identity headers that changed on paths for which both policies have a route. */
export function headerChanges(before: Policy, after: Policy): readonly HeaderChange[] {
  const found = new Map<string, HeaderChange>();
  for (const { host, places } of placesOf(before, after)) {
    const own = new Map<string, { readonly change: Omit<HeaderChange, 'on'>; readonly meant: Set<PathAtom> }>();
    for (const { path, left, right } of places) {
      if (left === undefined || right === undefined) continue;
      for (const change of changedNames(left.headers, right.headers)) {
        const key = JSON.stringify(change);
        own.set(key, { change, meant: (own.get(key)?.meant ?? new Set<PathAtom>()).add(path) });
      }
    }
    const all = places.map(({ path }) => path);
    for (const [key, { change, meant }] of own) {
      const on = regions(all, meant).map((region) => regionText(host.name, region));
      found.set(key, { ...change, on: [...(found.get(key)?.on ?? []), ...on] });
    }
  }
  return [...found.values()];
}
