import type { Host, Policy, Route } from '../../policy/checked/types.ts';
import { pathOf } from '../compile.ts';
import type { PathAtom } from './atoms.ts';
import { byChange, type HostPlaces, type Place, placesOf } from './compared-places.ts';
import { covers } from './cover.ts';
import { type DefinitionChange, type Named, type Part, parts } from './parts.ts';
import { type Region, regions, regionText, written } from './regions.ts';

/** Keys that `diff` and {@link headerChanges} compare. */
const RULED: readonly (keyof Route)[] = ['host', 'path', 'kind', 'service', 'allow', 'headers'];

const known = ({ limit, serviceWorkers, ...rest }: Route): Named => ({
  ...rest,
  limit,
  serviceWorkers: serviceWorkers === 'folder' || undefined,
  insecureServiceWorkers: serviceWorkers === 'anywhere' || undefined,
});

/** Returns what a new route allows to pages in browsers and which credentials it passes on, because no rule shows
 * this. */
const opened = ({ cors, serviceCredential, serviceWorkers }: Route): Partial<Route> => ({
  ...(serviceCredential && { serviceCredential }),
  ...(cors && { cors }),
  ...(serviceWorkers && { serviceWorkers }),
});

function partsAt({ left, right }: Place): Part[] {
  if (right === undefined) return [];
  if (left !== undefined) return parts(known(left), known(right), RULED);
  return parts({}, known(opened(right) as Route));
}

/** Writes the paths of a change as routes of the new or the old policy, and the remaining paths as patterns. */
function regionsOf(meant: ReadonlySet<PathAtom>, { left, right, places }: HostPlaces): readonly Region[] {
  const all = places.map(({ path }) => path);
  const rest = new Set(meant);
  const taking = new Set(places.flatMap((it) => (meant.has(it.path) ? [it.left, it.right] : [])));
  const entire = [right, left].flatMap((host) =>
    (host?.routes ?? []).flatMap((route): Region[] => {
      if (!taking.has(route)) return [];
      const path = pathOf(route, host as Host);
      const own = all.filter((atom) => covers(path, atom.path));
      if (own.length === 0 || !own.every((atom) => rest.has(atom))) return [];
      for (const atom of own) rest.delete(atom);
      return [{ path: written(path), except: [] }];
    }),
  );
  return [...entire, ...regions(all, rest)];
}

const routesAt = (at: HostPlaces): DefinitionChange[] =>
  byChange(at.places, partsAt).flatMap(({ change, meant }) =>
    regionsOf(meant, at).map(
      (region): DefinitionChange => ({
        ...{ section: 'route', name: regionText(at.host.name, region), ...change, affects: [] },
      }),
    ),
  );

/** Returns all keys of a host except its routes. Providers are sorted, because their order does not matter. */
const knownHost = ({ providers, limit, ...rest }: Host): Named => ({
  ...rest,
  providers: [...providers].sort(),
  limit,
});

function hostAt({ host, left, right }: HostPlaces): DefinitionChange[] {
  if (left === undefined || right === undefined) return [];
  const changed = parts(knownHost(left), knownHost(right), ['routes']);
  return changed.map((part) => ({ section: 'host', name: host.name, ...part, affects: [] }));
}

/** Returns the changed keys of hosts for the same names: providers, certificates, the CA of clients, limits. */
export const hostChanges = (before: Policy, after: Policy): readonly DefinitionChange[] =>
  placesOf(before, after).flatMap(hostAt);

/** Returns the changed keys of routes for the same paths: credentials, proxy settings, CORS, limits, and the owner. */
export const routeChanges = (before: Policy, after: Policy): readonly DefinitionChange[] =>
  placesOf(before, after).flatMap(routesAt);
