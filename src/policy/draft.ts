import { type Path, ROUTES, routePath } from './path.ts';
import type { Written } from './schema.ts';

/** A policy of which any part may be missing, because it is missing in the file or was wrong there. */
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

/** A route with its path. */
export interface RouteAt {
  readonly host: DraftHost;
  readonly hostName: string;
  readonly name: string;
  readonly route: DraftRoute;
  readonly path: Path;
}

/** The entries of a record that are there. */
export function entriesOf<T>(record: Readonly<Record<string, T | undefined>> | undefined): [string, NonNullable<T>][] {
  return Object.entries(record ?? {}).filter((entry): entry is [string, NonNullable<T>] => entry[1] != null);
}

/** All routes of all hosts. */
export function routesOf(draft: DraftPolicy): RouteAt[] {
  return entriesOf(draft.hosts).flatMap(([hostName, host]) =>
    entriesOf(host[ROUTES]).map(([name, route]) => ({ host, hostName, name, route, path: routePath(hostName, name) })),
  );
}

/** Whether a key is written, even if its value was wrong and was removed. */
export function writes(record: object, ...keys: readonly string[]): boolean {
  return keys.some((key) => Object.hasOwn(record, key));
}

/** Whether nginx connects to a service directly, without the mesh. */
export function isDirect(service: object): boolean {
  return writes(service, 'url', 'insecure_url');
}

/** Name of the service that a rule's callers reach: its own, or the route's; undefined if an error hides it. */
export function serviceOf(route: DraftRoute, rule: DraftRule): string | undefined {
  return typeof rule === 'object' && writes(rule, 'service') ? rule.service : route.service;
}

export type DraftIngress = NonNullable<NonNullable<DraftPolicy['mesh']>['ingress']>;

/** Every ingress by name, with its path; the only one is `default`. */
export function ingressesOf({ mesh }: DraftPolicy): { name: string; ingress: DraftIngress; path: Path }[] {
  const single = mesh?.ingress ? [{ name: 'default', ingress: mesh.ingress, path: ['mesh', 'ingress'] }] : [];
  const named = entriesOf(mesh?.ingresses).map(([name, ingress]) => ({
    ...{ name, ingress, path: ['mesh', 'ingresses', name] },
  }));
  return [...single, ...named];
}

/** Name of the ingress of a service; undefined if an error hides it. */
export function ingressNameOf(service: { readonly ingress?: string | undefined }): string | undefined {
  return writes(service, 'ingress') ? service.ingress : 'default';
}

/** Whether a rule of a service in the mesh names no identity. */
export function needsDefault(draft: DraftPolicy): boolean {
  return routesOf(draft).some(({ route }) =>
    route.allow?.some((rule) => {
      const service = draft.services?.[serviceOf(route, rule) ?? ''];
      if (service && isDirect(service)) return false;
      return typeof rule === 'string' || (rule && !Object.hasOwn(rule, 'as'));
    }),
  );
}

/** Whether no certificate can be verified by a host's name: it is an address, or a name that is not a DNS name. */
export function needsServerName(host: string): boolean {
  return /^\[|^[\d.]+$|[A-Z_]/.test(host);
}
