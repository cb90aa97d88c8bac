import { ODD_PATH } from '../../rules/canonical.ts';
import { readYaml } from '../yaml.ts';

/** Objects of Linkerd's policy as far as they are read; a live one has more around it. */
interface KubeObject {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly creationTimestamp?: string };
  readonly spec?: unknown;
  readonly items?: readonly KubeObject[];
}

interface Ref {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface PathMatch {
  readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value?: string;
}

export interface RequestMatch {
  readonly path?: PathMatch;
  readonly method?: string;
}

/** A route with all that decides about it. */
export interface ReadRoute {
  readonly id: string;
  readonly created: string;
  readonly server: string;
  readonly hosts: readonly string[];
  readonly matches: readonly RequestMatch[];
  /** Identities that may pass. */
  readonly clients: readonly string[];
}

export const unreadable = (what: unknown) => new Error(`not as meshgate renders it: ${JSON.stringify(what)}`);

/** Every object of the files, out of the lists that `kubectl get` makes too. */
function objectsIn(files: Readonly<Record<string, string>>): readonly KubeObject[] {
  const flat = (object: KubeObject): readonly KubeObject[] => object?.items?.flatMap(flat) ?? [object];
  return Object.values(files).flatMap((text) => (readYaml(text) as readonly KubeObject[]).flatMap(flat));
}

const idOf = ({ metadata }: KubeObject, name = metadata?.name): string => `${metadata?.namespace}/${name}`;

/** The keys are all that is understood here. */
function only(value: object, keys: readonly string[]): void {
  const other = Object.keys(value).find((key) => !keys.includes(key));
  if (other !== undefined) throw unreadable(other);
}

function checkServer({ spec }: KubeObject): void {
  const { accessPolicy = 'deny', proxyProtocol = 'unknown' } = spec as {
    accessPolicy?: string;
    proxyProtocol?: string;
  };
  if (accessPolicy !== 'deny' || !['unknown', 'HTTP/1', 'HTTP/2'].includes(proxyProtocol)) throw unreadable(spec);
}

function matchesOf(rule: { readonly matches?: readonly RequestMatch[] }): readonly RequestMatch[] {
  only(rule, ['matches']);
  const matches = rule.matches ?? [{}];
  for (const match of matches) {
    only(match, ['path', 'method']);
    const { type, value = '' } = match.path ?? {};
    if (type === 'RegularExpression' && !value.startsWith(ODD_PATH) && !value.startsWith(`(${ODD_PATH}`)) {
      throw unreadable(value);
    }
  }
  return matches;
}

interface Authorization {
  readonly targetRef: Ref;
  readonly requiredAuthenticationRefs: readonly Ref[];
}

/** Identities that each route lets pass. */
function clientsOf(objects: readonly KubeObject[]): ReadonlyMap<string, readonly string[]> {
  const of = (kind: string) => objects.filter((object) => object.kind === kind);
  const identities = new Map(
    of('MeshTLSAuthentication').map((it) => [idOf(it), (it.spec as { identities?: readonly string[] }).identities]),
  );
  const clients = new Map<string, readonly string[]>();
  for (const object of of('AuthorizationPolicy')) {
    const { targetRef, requiredAuthenticationRefs } = object.spec as Authorization;
    const [ref, ...more] = requiredAuthenticationRefs;
    const found = ref && identities.get(`${ref.namespace ?? object.metadata?.namespace}/${ref.name}`);
    if (targetRef.kind !== 'HTTPRoute' || found === undefined || more.length > 0) throw unreadable(object.spec);
    const route = idOf(object, targetRef.name);
    clients.set(route, [...(clients.get(route) ?? []), ...found]);
  }
  return clients;
}

const KINDS = ['Server', 'HTTPRoute', 'AuthorizationPolicy', 'MeshTLSAuthentication', 'Kustomization'];

/**
 * The routes in files that meshgate rendered, or in what `kubectl get` says of them.
 *
 * @throws Error where there is something that it would not render
 */
export function routesIn(files: Readonly<Record<string, string>>): readonly ReadRoute[] {
  const objects = objectsIn(files);
  const strange = objects.find((object) => !KINDS.includes(object?.kind ?? ''));
  if (strange !== undefined || objects.length === 0) throw unreadable(strange?.kind ?? 'no objects');
  const servers = objects.filter(({ kind }) => kind === 'Server');
  servers.forEach(checkServer);
  const known = new Set(servers.map((server) => idOf(server)));
  const clients = clientsOf(objects);
  return objects
    .filter(({ kind }) => kind === 'HTTPRoute')
    .map((object) => {
      const spec = object.spec as {
        readonly parentRefs: readonly Ref[];
        readonly hostnames?: readonly string[];
        readonly rules: readonly { readonly matches?: readonly RequestMatch[] }[];
      };
      const [parent, ...more] = spec.parentRefs;
      const server = idOf(object, parent?.name);
      if (parent?.kind !== 'Server' || more.length > 0 || !known.has(server)) throw unreadable(spec.parentRefs);
      return {
        id: idOf(object),
        created: object.metadata?.creationTimestamp ?? '',
        server,
        hosts: spec.hostnames ?? [],
        matches: spec.rules.flatMap(matchesOf),
        clients: clients.get(idOf(object)) ?? [],
      };
    });
}
