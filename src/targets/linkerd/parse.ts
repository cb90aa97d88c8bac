import { oddPatterns } from '../odd-paths.ts';
import { Foreign } from '../types.ts';
import { documentsIn } from '../yaml.ts';

/** Objects of Linkerd's policy as far as they are read; a live one has more around it. */
export interface KubeObject {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly creationTimestamp?: string };
  readonly spec?: unknown;
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

export const unreadable = (title: string, why: string) => new Error(`${title}: ${why}`);

const GROUP = 'policy.linkerd.io';

/** How to get what is understood here out of a cluster. */
const ASK = `ask for its own objects: kubectl get -A -l app.kubernetes.io/managed-by=meshgate -o yaml servers.${GROUP},httproutes.${GROUP},authorizationpolicies.${GROUP},meshtlsauthentications.${GROUP}`;

const isObject = (value: unknown): value is KubeObject =>
  typeof value === 'object' && value !== null && typeof (value as KubeObject).kind === 'string';

/** Every object of some files, out of the lists that `kubectl get` makes too. */
export function objectsIn(files: Readonly<Record<string, string>>): readonly KubeObject[] {
  const flat = (name: string, value: unknown): readonly KubeObject[] => {
    const { items } = (value ?? {}) as { readonly items?: unknown };
    if (Array.isArray(items)) return items.flatMap((it) => flat(name, it));
    if (!isObject(value)) throw new Foreign(`no objects of Kubernetes; ${ASK}`, name);
    return [value];
  };
  return Object.entries(files).flatMap(([name, text]) =>
    documentsIn(name, text).flatMap((document) => flat(name, document)),
  );
}

const idOf = ({ metadata }: KubeObject, name = metadata?.name): string => `${metadata?.namespace}/${name}`;

/** `HTTPRoute wiki/meshgate-wiki.refuse`. */
const titleOf = (object: KubeObject): string => `${object.kind} ${idOf(object)}`;

/** The keys are all that is understood here. */
function only(value: object, keys: readonly string[], title: string): void {
  const other = Object.keys(value).find((key) => !keys.includes(key));
  if (other !== undefined) throw unreadable(title, `"${other}" is nothing that meshgate renders`);
}

function checkServer(server: KubeObject): void {
  const { accessPolicy = 'deny', proxyProtocol = 'unknown' } = server.spec as {
    accessPolicy?: string;
    proxyProtocol?: string;
  };
  if (accessPolicy !== 'deny') {
    throw unreadable(titleOf(server), `its accessPolicy is ${accessPolicy}, so more passes than routes allow`);
  }
  if (!['unknown', 'HTTP/1', 'HTTP/2'].includes(proxyProtocol)) {
    throw unreadable(titleOf(server), `its proxyProtocol is ${proxyProtocol}, so no route counts`);
  }
}

const PATH_TYPES = ['Exact', 'PathPrefix', 'RegularExpression'];

/** Whether a pattern is one of odd paths as it is rendered: these, and perhaps some that a client percent-encodes. */
function isOddPattern(value: string): boolean {
  const [plain = ''] = oddPatterns([]);
  const start = `(${plain}|^[^?]*%(`;
  return value === plain || (value.startsWith(start) && /^[0-9a-fA-F[\]|]+\)\.\*\)$/.test(value.slice(start.length)));
}

function matchesOf(rule: { readonly matches?: readonly RequestMatch[] }, title: string): readonly RequestMatch[] {
  only(rule, ['matches'], title);
  const matches = rule.matches ?? [{}];
  for (const match of matches) {
    only(match, ['path', 'method'], title);
    const { type, value = '' } = match.path ?? {};
    if (type !== undefined && !PATH_TYPES.includes(type)) throw unreadable(title, `no type of path: ${type}`);
    if (type === 'RegularExpression' && !isOddPattern(value)) {
      throw unreadable(title, `no pattern that meshgate renders: ${value}`);
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
    const title = titleOf(object);
    if (targetRef.kind !== 'HTTPRoute' || targetRef.name === undefined) {
      throw unreadable(title, `it is for a whole ${targetRef.kind}, and lets in more than routes allow`);
    }
    if (found === undefined || more.length > 0 || ref?.kind !== 'MeshTLSAuthentication') {
      throw unreadable(title, 'it wants something else than one MeshTLSAuthentication that is there');
    }
    const route = idOf(object, targetRef.name);
    clients.set(route, [...(clients.get(route) ?? []), ...found]);
  }
  return clients;
}

const KINDS = ['Server', 'HTTPRoute', 'AuthorizationPolicy', 'MeshTLSAuthentication', 'Kustomization'];

/**
 * The routes in objects that meshgate rendered, or in what `kubectl get` says of them.
 *
 * @throws Foreign for other kinds of objects, Error where there is something that it would not render
 */
export function routesIn(objects: readonly KubeObject[]): readonly ReadRoute[] {
  if (objects.length === 0) throw new Foreign(`no objects; ${ASK}`);
  const strange = objects.find((object) => !KINDS.includes(object.kind ?? ''));
  if (strange !== undefined) {
    throw new Foreign(`${titleOf(strange)} is nothing that meshgate renders for Linkerd; ${ASK}`);
  }
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
      const title = titleOf(object);
      if (parent?.kind !== 'Server' || more.length > 0 || !known.has(server)) {
        throw unreadable(title, 'it belongs to something else than one Server that is there');
      }
      return {
        id: idOf(object),
        created: object.metadata?.creationTimestamp ?? '',
        server,
        hosts: spec.hostnames ?? [],
        matches: spec.rules.flatMap((rule) => matchesOf(rule, title)),
        clients: clients.get(idOf(object)) ?? [],
      };
    });
}
