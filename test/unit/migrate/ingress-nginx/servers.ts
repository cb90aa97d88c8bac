/** A small model of the servers and locations of ingress-nginx 1.15, written from its sources
 * (internal/ingress/controller/controller.go: createUpstreams, createServers, getBackendServers; location.go:
 * updateServerLocations; template.go: buildLocation, enforceRegexModifier, buildServerName; internal/ingress/inspector and
 * internal/k8s: the types of paths). It shares no code with the migration. */
import {
  boolOf,
  type Controller,
  isLoaded,
  type Location,
  passesAt,
  passesServer,
  type Request,
  stringOf,
} from './model.ts';

export interface Path {
  readonly path: string;
  readonly type: Location['type'];
  /** Absent: the backend is a resource. */
  readonly service?: string;
}

export interface Ingress {
  readonly annotations: Readonly<Record<string, string>>;
  /** Without paths, a rule has no `http`. */
  readonly rules: readonly { readonly host: string; readonly paths?: readonly Path[] }[];
}

/** ImplementationSpecific is the same as Prefix. */
interface Placed {
  readonly path: string;
  readonly isExact: boolean;
  readonly annotations: Ingress['annotations'];
  readonly isDefault: boolean;
}

interface Server {
  locations: Placed[];
  aliases: readonly string[];
  snippet: string;
  certificates: Ingress['annotations'] | undefined;
}

const isCanary = ({ annotations }: Ingress) => boolOf(annotations, 'canary', false);

const listOf = (text: string) => text.split(',').flatMap((it) => it.trim() || []);

/** Whether the admission accepts the types of all paths. */
function isAdmitted({ rules }: Ingress, { strict }: Controller): boolean {
  if (strict !== undefined && !/^(?:1|t|T|TRUE|true|True)$/.test(strict)) return true;
  const paths = rules.flatMap((it) => it.paths ?? []);
  return paths.every(
    ({ path, type }) => path === '' || type === 'ImplementationSpecific' || /^\/[A-Za-z0-9._\-/]*$/.test(path),
  );
}

/** Services of which a canary is the oldest Ingress: no location leads to them. */
function withoutServer(all: readonly Ingress[]): ReadonlySet<string> {
  const first = new Map<string, boolean>();
  for (const ingress of all)
    for (const { service } of ingress.rules.flatMap(({ paths }) => paths ?? []))
      if (service !== undefined && !first.has(service)) first.set(service, isCanary(ingress));
  return new Set([...first].filter(([, canary]) => canary).map(([service]) => service));
}

/** The servers by their hosts, for Ingresses in the order of their age. */
function serversOf(all: readonly Ingress[]): ReadonlyMap<string, Server> {
  const servers = new Map<string, Server>();
  for (const { annotations, rules } of all.filter((it) => !isCanary(it)))
    for (const { host } of rules) {
      const first: Placed = { path: '/', isExact: false, annotations, isDefault: true };
      const server = servers.get(host) ?? { locations: [first], aliases: [], snippet: '', certificates: undefined };
      servers.set(host, server);
      server.snippet ||= stringOf(annotations, 'server-snippet') ?? '';
      if (server.aliases.length === 0) server.aliases = listOf(annotations['server-alias'] ?? '');
    }
  const missing = withoutServer(all);
  for (const { annotations, rules } of all)
    for (const { host, paths } of rules) {
      const server = servers.get(host);
      if (server === undefined || paths === undefined) continue;
      if (stringOf(annotations, 'auth-tls-secret') !== undefined) server.certificates ??= annotations;
      for (const { path, type, service } of paths) {
        if (service === undefined || missing.has(service)) continue;
        const own: Placed = { path: path || '/', isExact: type === 'Exact', annotations, isDefault: false };
        const same = server.locations.find((it) => it.path === own.path);
        if (same === undefined || same.isExact !== own.isExact) server.locations.push(own);
        else if (same.isDefault) server.locations = server.locations.map((it) => (it === same ? own : it));
      }
    }
  return servers;
}

const isRewritten = ({ annotations, path }: Placed) =>
  ![undefined, path].includes(stringOf(annotations, 'rewrite-target'));

const usesRegex = ({ annotations }: Placed) => boolOf(annotations, 'use-regex', false);

/** The location that nginx chooses. */
function locate(locations: readonly Placed[], path: string): Placed | undefined {
  const ordered = [...locations].sort((a, b) => (a.path < b.path ? 1 : a.path > b.path ? -1 : 0));
  ordered.sort((a, b) => b.path.length - a.path.length);
  const rendered = ordered.flatMap((it) => {
    if (it.path === '/' || it.isExact || isRewritten(it) || usesRegex(it)) return [it];
    const folder = { ...it, path: it.path.endsWith('/') ? it.path : `${it.path}/` };
    const hasExact = ordered.some((other) => other.isExact && other.path === it.path);
    return hasExact ? [folder] : [folder, { ...it, isExact: true }];
  });
  if (rendered.some((it) => isRewritten(it) || usesRegex(it)))
    return rendered.find((it) => new RegExp(`^${it.path}`, 'i').test(path));
  const [first] = rendered
    .filter((it) => !it.isExact && path.startsWith(it.path))
    .sort((a, b) => b.path.length - a.path.length);
  // nginx redirects to a folder, which is no refusal.
  const folder = rendered.find((it) => !it.isExact && it.path === `${path}/`);
  return rendered.find((it) => it.isExact && it.path === path) ?? folder ?? first;
}

/** Whether a request to a host reaches a service. */
export function reaches(
  ingresses: readonly Ingress[],
  request: Request & { readonly host: string },
  controller: Controller = {},
): boolean {
  const servers = serversOf(
    ingresses.filter((it) => isLoaded(it.annotations, controller.level) && isAdmitted(it, controller)),
  );
  const { host, path } = request;
  const wildcard = servers.get(host.replace(/^[\w-]+\./, '*.'));
  const server = servers.get(host) ?? [...servers.values()].find((it) => it.aliases.includes(host)) ?? wildcard;
  if (server === undefined || server.snippet.includes('deny all')) return false;
  if (server.certificates !== undefined && !passesServer(server.certificates, request)) return false;
  const found = locate(server.locations, path);
  return found !== undefined && !found.isDefault && passesAt(found.annotations, request, controller);
}

/** Whether a request to one host with these locations, each of an Ingress, reaches a service. */
export const passes = (locations: readonly Location[], request: Request, controller: Controller = {}): boolean =>
  reaches(
    locations.map(({ annotations, path, type }) => ({
      annotations,
      rules: [{ host: 'app.example.com', paths: [{ path, type, service: 'app' }] }],
    })),
    { ...request, host: 'app.example.com' },
    controller,
  );
