import { type Path, ROUTES, routePath } from '../forms/path.ts';
import type { Written } from '../schema/policy.ts';

/** A policy in which any part may be missing, because it is not in the file, or was wrong and has been removed. */
export type Draft<T> =
  | (T extends string | number | boolean | null | undefined
      ? T
      : T extends readonly (infer Element)[]
        ? readonly Draft<Element>[]
        : { readonly [Key in keyof T]?: Draft<T[Key]> })
  | undefined;

export type DraftPolicy = NonNullable<Draft<Written>>;
export type DraftProvider = NonNullable<NonNullable<DraftPolicy['providers']>[string]>;
export type DraftHost = NonNullable<NonNullable<DraftPolicy['hosts']>[string]>;
export type DraftRoute = NonNullable<NonNullable<DraftHost[typeof ROUTES]>[string]>;
export type DraftRule = NonNullable<DraftRoute['allow']>[number];
export type DraftFact = NonNullable<NonNullable<DraftPolicy['roles']>[string]>;
export type DraftHeaders = NonNullable<DraftPolicy['headers']>;

export interface RouteAt {
  readonly host: DraftHost;
  readonly hostName: string;
  readonly name: string;
  readonly route: DraftRoute;
  readonly path: Path;
}

/** The entries of a record whose values are defined. */
export const entriesOf = <T>(record: Readonly<Record<string, T | undefined>> | undefined): [string, NonNullable<T>][] =>
  Object.entries(record ?? {}).filter((entry): entry is [string, NonNullable<T>] => entry[1] != null);

export const routesOf = (draft: DraftPolicy): RouteAt[] =>
  entriesOf(draft.hosts).flatMap(([hostName, host]) =>
    entriesOf(host[ROUTES]).map(([name, route]) => ({ host, hostName, name, route, path: routePath(hostName, name) })),
  );

/** Every `headers` of the policy, with its path. */
export function headersOf(draft: DraftPolicy): { path: Path; headers: DraftHeaders }[] {
  const layers = [
    { path: ['headers'], headers: draft.headers },
    ...entriesOf(draft.hosts).map(([name, { headers }]) => ({ path: ['hosts', name, 'headers'], headers })),
    ...routesOf(draft).map(({ path, route: { headers } }) => ({ path: [...path, 'headers'], headers })),
  ];
  return layers.flatMap(({ path, headers }) => (headers ? [{ path, headers }] : []));
}

/** Yields each entry whose text an earlier entry also has, with the key of the last such entry. */
export function* repeated<K, T>(
  entries: Iterable<readonly [K, T]>,
  textOf: (it: T, key: K) => string | undefined,
): Generator<readonly [key: K, it: T, earlier: K]> {
  const seen = new Map<string, K>();
  for (const [key, it] of entries) {
    const value = textOf(it, key);
    if (value === undefined) continue;
    const earlier = seen.get(value);
    if (earlier !== undefined) yield [key, it, earlier];
    seen.set(value, key);
  }
}

/** Whether a key is written, even if its value was wrong and was removed. */
export const writes = (record: object, ...keys: readonly string[]): boolean =>
  keys.some((key) => Object.hasOwn(record, key));

/** Whether nginx connects to a service directly, without the mesh. */
export const isDirect = (service: object): boolean => writes(service, 'url', 'insecure_url');

/** The service that callers of a rule reach, from the rule or else from the route; undefined if an error hides it. */
export const serviceOf = (route: DraftRoute, rule: DraftRule): string | undefined =>
  typeof rule === 'object' && writes(rule, 'service') ? rule.service : route.service;

export type DraftMesh = NonNullable<DraftPolicy['mesh']>;
export type DraftIngress = NonNullable<DraftMesh['ingress']>;
export type DraftService = NonNullable<NonNullable<DraftPolicy['services']>[string]>;

/** A mesh with its name and path. The mesh from the key `mesh` has the name `default`. */
export interface MeshAt {
  readonly name: string;
  readonly mesh: DraftMesh;
  readonly path: Path;
}

export function meshesOf({ mesh, meshes }: DraftPolicy): readonly MeshAt[] {
  const single = mesh ? [{ name: 'default', mesh, path: ['mesh'] }] : [];
  const all = entriesOf(meshes).map(([name, mesh]) => ({ name, mesh, path: ['meshes', name] }));
  return [...single, ...all];
}

/** Every ingress of a mesh with its name and path. If there is only one, its name is `default`. */
export function ingressesOf({ mesh, path }: MeshAt): { name: string; ingress: DraftIngress; path: Path }[] {
  const single = mesh.ingress ? [{ name: 'default', ingress: mesh.ingress, path: [...path, 'ingress'] }] : [];
  const all = entriesOf(mesh.ingresses).map(([name, ingress]) => ({
    name,
    ingress,
    path: [...path, 'ingresses', name],
  }));
  return [...single, ...all];
}

/** Names of the ingresses of a service; a name is undefined if an error hides it. */
export const ingressNamesOf = (service: DraftService): readonly (string | undefined)[] =>
  writes(service, 'ingresses')
    ? (service.ingresses ?? [undefined]).map((it) => (typeof it === 'object' ? it.name : it))
    : [writes(service, 'ingress') ? service.ingress : 'default'];

/** Name of the mesh of a service; undefined if an error hides it. */
export const meshNameOf = (service: { readonly mesh?: string | undefined }): string | undefined =>
  writes(service, 'mesh') ? service.mesh : 'default';

/** The services of a mesh, which nginx reaches through its ingress. */
export const servicesOf = ({ services }: DraftPolicy, { name }: Pick<MeshAt, 'name'>): [string, DraftService][] =>
  entriesOf(services).filter(([, service]) => !isDirect(service) && meshNameOf(service) === name);

/** Whether a service of a mesh has a rule that names no identity, so that a default identity is needed. */
export const needsDefault = (draft: DraftPolicy, mesh: Pick<MeshAt, 'name'>): boolean =>
  routesOf(draft).some(({ route }) =>
    route.allow?.some((rule) => {
      const service = draft.services?.[serviceOf(route, rule) ?? ''];
      const isHere = service ? !isDirect(service) && meshNameOf(service) === mesh.name : draft.meshes === undefined;
      if (!isHere) return false;
      return typeof rule === 'string' || (rule && !Object.hasOwn(rule, 'as'));
    }),
  );

/** Whether a host is not a DNS name, so that nginx cannot verify a certificate with it. */
export const needsServerName = (host: string): boolean => /^\[|^[\d.]+$|[A-Z_]/.test(host);
