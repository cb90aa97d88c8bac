import type { Headers, Policy } from '../../policy/checked/types.ts';
import { byChange, type Place, placesOf } from './compared-places.ts';
import { sides } from './parts.ts';
import { regions, regionText } from './regions.ts';

/** An identity header that changed, or is no longer sent, on some paths of a host. */
export interface HeaderChange {
  readonly name: string;
  /** The source of the value, as JSON; absent: services do not receive the header. */
  readonly before?: string;
  readonly after?: string;
  /** Hosts and paths, as policies write them. */
  readonly on: readonly string[];
}

const source = (headers: Headers, name: string): string | undefined => JSON.stringify(headers[name]);

const changedNames = (before: Headers, after: Headers): readonly Omit<HeaderChange, 'on'>[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [was, is] = [source(before, name), source(after, name)];
    return was === is ? [] : [{ name, ...sides(was, is) }];
  });

/** Returns the identity headers that changed on paths for which both policies have a route. */
export function headerChanges(before: Policy, after: Policy): readonly HeaderChange[] {
  const found = new Map<string, HeaderChange>();
  for (const { host, places } of placesOf(before, after)) {
    const all = places.map(({ path }) => path);
    const changesAt = ({ left, right }: Place) => (left && right ? changedNames(left.headers, right.headers) : []);
    for (const { change, meant } of byChange(places, changesAt)) {
      const key = JSON.stringify(change);
      const on = regions(all, meant).map((region) => regionText(host.name, region));
      found.set(key, { ...change, on: [...(found.get(key)?.on ?? []), ...on] });
    }
  }
  return [...found.values()];
}
