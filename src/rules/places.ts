import type { Host, Policy, Route } from '../policy/types.ts';
import { type HostAtom, hostAtoms, hostOf, type PathAtom, pathAtoms } from './atoms.ts';
import { plainPath } from './compile.ts';
import { findRoute } from './match.ts';

/** What of each side takes the requests of a path; absent: nothing does. */
export interface Place {
  readonly path: PathAtom;
  readonly left?: Route;
  readonly right?: Route;
}

/** What of each side takes the requests for a host name, and those of each path there. */
export interface HostPlaces {
  readonly host: HostAtom;
  readonly left?: Host;
  readonly right?: Host;
  readonly places: readonly Place[];
}

function takes({ hosts }: Policy, name: string): Host | undefined {
  const found = hostOf(
    hosts.map((host) => host.name),
    name,
  );
  return hosts.find((host) => host.name === found);
}

/**
 * All hosts and paths that two policies tell apart, with the host and the route that take them on each side: where one
 * side has no route of its own, another one of that side takes its requests.
 */
export function placesOf(before: Policy, after: Policy): readonly HostPlaces[] {
  const names = [...before.hosts, ...after.hosts].map(({ name }) => ({ host: name }));
  return hostAtoms(names).map((host): HostPlaces => {
    const [left, right] = [takes(before, host.host), takes(after, host.host)];
    const [was, is] = [left?.routes ?? [], right?.routes ?? []];
    const places = pathAtoms([...was, ...is].map(plainPath)).map((path): Place => {
      const [old, fresh] = [findRoute(was, path.path), findRoute(is, path.path)];
      return { path, ...(old && { left: old }), ...(fresh && { right: fresh }) };
    });
    return { host, ...(left && { left }), ...(right && { right }), places };
  });
}
