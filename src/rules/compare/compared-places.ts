import { hostNamed } from '../../base/host-name.ts';
import type { Host, Policy, Route } from '../../policy/checked/types.ts';
import { plainPath } from '../compile.ts';
import { findRoute } from '../decide/match.ts';
import { type HostAtom, hostAtoms, type PathAtom, pathAtoms } from './atoms.ts';

/** The host and the route on each side that receive requests for a path; absent if there are none. */
export interface Place {
  readonly path: PathAtom;
  readonly left?: Route;
  readonly right?: Route;
}

/** The host on each side that receives requests for a name, and the places of its paths. */
export interface HostPlaces {
  readonly host: HostAtom;
  readonly left?: Host;
  readonly right?: Host;
  readonly places: readonly Place[];
}

/** Returns each change once, with all paths for which the change is the same. */
export function byChange<C>(places: readonly Place[], changesAt: (place: Place) => Iterable<C>) {
  const found = new Map<string, { readonly change: C; readonly meant: Set<PathAtom> }>();
  for (const place of places) {
    for (const change of changesAt(place)) {
      const key = JSON.stringify(change);
      const known = found.get(key) ?? { change, meant: new Set() };
      found.set(key, known);
      known.meant.add(place.path);
    }
  }
  return [...found.values()];
}

/** Returns all hosts and paths that two policies distinguish. On one side, a wider route may receive their requests. */
export function placesOf(before: Policy, after: Policy): readonly HostPlaces[] {
  const names = [...before.hosts, ...after.hosts].map(({ name }) => ({ host: name }));
  return hostAtoms(names).map((host): HostPlaces => {
    const [left, right] = [hostNamed(before.hosts, host.host), hostNamed(after.hosts, host.host)];
    const [was, is] = [left?.routes ?? [], right?.routes ?? []];
    const places = pathAtoms([...was, ...is].map(plainPath)).map((path): Place => {
      const [old, fresh] = [findRoute(was, path.path), findRoute(is, path.path)];
      return { path, ...(old && { left: old }), ...(fresh && { right: fresh }) };
    });
    return { host, ...(left && { left }), ...(right && { right }), places };
  });
}
