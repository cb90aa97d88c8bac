import type { Host, Policy, Route } from '../policy/types.ts';
import type { PathAtom } from './atoms.ts';
import { pathOf } from './compile.ts';
import { type DefinitionChange, type Named, type Part, parts } from './parts.ts';
import { type HostPlaces, type Place, placesOf } from './places.ts';
import { ownRegion, type Region, regions, regionText } from './regions.ts';
import { saidLimit } from './said.ts';

/** What rules say (diff), headers (see {@link headerChanges}), and where a route stands. */
const RULED: readonly (keyof Route)[] = ['host', 'path', 'kind', 'service', 'allow', 'headers'];

/** All else that is said of a route. */
function known({ limit, serviceWorkers, ...rest }: Route): Named {
  return {
    ...rest,
    limit: saidLimit(limit),
    serviceWorkers: serviceWorkers === 'folder' || undefined,
    insecureServiceWorkers: serviceWorkers === 'anywhere' || undefined,
  };
}

/** Of a route where none was: what it opens to pages of browsers, which no rule says. */
const opened = ({ cors, serviceWorkers }: Route): Partial<Route> => ({
  ...(cors && { cors }),
  ...(serviceWorkers && { serviceWorkers }),
});

function partsAt({ left, right }: Place): Part[] {
  if (right === undefined) return [];
  if (left !== undefined) return parts(known(left), known(right), RULED);
  return parts({}, known(opened(right) as Route));
}

/** Paths on which one thing changed, and the routes that took them or take them. */
interface Changed {
  readonly part: Part;
  readonly meant: Set<PathAtom>;
  readonly routes: Set<readonly [route: Route, host: Host]>;
}

/** The paths of a change: as those of a route, where they are exactly these. */
function regionsOf({ meant, routes }: Changed, all: readonly PathAtom[]): readonly Region[] {
  for (const [route, host] of routes) {
    const own = ownRegion(pathOf(route, host), all, meant);
    if (own !== undefined) return [own];
  }
  return regions(all, meant);
}

function routesAt({ host, left, right, places }: HostPlaces): DefinitionChange[] {
  const found = new Map<string, Changed>();
  for (const place of places) {
    for (const part of partsAt(place)) {
      const key = JSON.stringify(part);
      const changed = found.get(key) ?? { part, meant: new Set(), routes: new Set() };
      found.set(key, changed);
      changed.meant.add(place.path);
      if (place.right && right) changed.routes.add([place.right, right]);
      if (place.left && left) changed.routes.add([place.left, left]);
    }
  }
  const all = places.map(({ path }) => path);
  return [...found.values()].flatMap((changed) =>
    regionsOf(changed, all).map((region) => ({
      section: 'route' as const,
      name: regionText(host.name, region),
      ...changed.part,
      affects: [],
    })),
  );
}

/** All that is said of a host beside its routes; the order of its providers counts for nothing. */
const knownHost = ({ providers, limit, ...rest }: Host): Named => ({
  ...rest,
  providers: [...providers].sort(),
  limit: saidLimit(limit),
});

function hostAt({ host, left, right }: HostPlaces): DefinitionChange[] {
  if (left === undefined || right === undefined) return [];
  const changed = parts(knownHost(left), knownHost(right), ['routes']);
  return changed.map((part) => ({ section: 'host', name: host.name, ...part, affects: [] }));
}

/** What is said otherwise of the hosts that take the same names: providers, certificates, the CA of clients, limits. */
export const hostChanges = (before: Policy, after: Policy): readonly DefinitionChange[] =>
  placesOf(before, after).flatMap(hostAt);

/**
 * What is said otherwise of the routes that take the same paths: which credentials and tokens count there, how requests
 * are carried, which pages may ask, how often, and whom the denied page names.
 */
export const routeChanges = (before: Policy, after: Policy): readonly DefinitionChange[] =>
  placesOf(before, after).flatMap(routesAt);
