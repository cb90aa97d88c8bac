import { hash } from '../../rules/hash.ts';
import type { Neutral } from '../kit/compare.ts';
import { KUBE_NEUTRAL, type KubeObject, marksOf } from '../kit/kubernetes-objects.ts';
import { nonCanonicalPattern } from '../kit/non-canonical-paths.ts';
import { prefixOf, readable } from '../kit/owner.ts';
import type { RouteMatch } from './matches.ts';
import type { MeshPeer } from './mesh-identity.ts';
import { type Guarded, type WorkloadPort, workloadKey } from './workloads.ts';

export const GROUP = 'policy.linkerd.io';

/** The name of the only rendered file with rules. */
export const LINKERD_FILE = 'linkerd.yaml';

/** A Kubernetes object of a kind that this folder renders. */
export interface LinkerdObject extends KubeObject {
  readonly kind: 'Server' | 'HTTPRoute' | 'AuthorizationPolicy' | 'MeshTLSAuthentication';
}

const VERSIONS = {
  Server: 'v1beta3',
  HTTPRoute: 'v1beta3',
  AuthorizationPolicy: 'v1alpha1',
  MeshTLSAuthentication: 'v1alpha1',
} as const;

const COMPONENTS: Partial<Record<LinkerdObject['kind'], string>> = {
  AuthorizationPolicy: 'authorization',
  Server: 'server',
};

/** The step in which an object is applied. Linkerd accepts routes one by one, and until then a shorter path decides. So
 * authorizations follow when all routes are accepted. An update deletes Servers by themselves. */
const stepOf = (kind: LinkerdObject['kind']) => ({ 'app.kubernetes.io/component': COMPONENTS[kind] ?? 'route' });

/** Makes a rendered object. */
export function object(
  owner: string,
  kind: LinkerdObject['kind'],
  named: Pick<LinkerdObject['metadata'], 'name' | 'namespace'>,
  spec: unknown,
): LinkerdObject {
  const apiVersion = `${GROUP}/${VERSIONS[kind]}`;
  return { apiVersion, kind, metadata: { ...named, labels: { ...marksOf(owner), ...stepOf(kind) } }, spec };
}

/** Members of live objects that change no decision. */
export const NEUTRAL: readonly Neutral[] = [
  ...KUBE_NEUTRAL,
  { path: ['status'], why: 'the policy controller writes it; prove reads only whether Linkerd accepts a route' },
  {
    path: ['spec', 'proxyProtocol'],
    values: ['unknown'],
    why: 'the API server fills in this default: the proxy detects the protocol',
  },
];

/** A name from the policy, as a part of a Kubernetes name. It must end with a letter or a digit. */
const part = (name: string): string => (name.endsWith('-') ? `${name.replace(/(?<!-)-+$/, '')}-${hash(name)}` : name);

/** The longest text that is added to the name of a service. */
const LONGEST = 80;

/** The name of a set of clients. The empty set has the name `refuse`. */
function setName(clients: readonly MeshPeer[]): string {
  if (clients.length === 0) return 'refuse';
  const text = clients.map(({ name }) => part(name)).join('.');
  return `allow.${text.length > LONGEST ? hash(text) : text}`;
}

/** The name of the Server for some pods and one of their ports. It depends only on them, so it stays when services at
 * these pods are added, removed or moved. Otherwise an update would leave a Server under the former name. It would be
 * the older one, and deny every request, because its routes are deleted. */
export function serverObjectName(place: WorkloadPort & Pick<Guarded, 'owner'>): string {
  return `${prefixOf(place.owner)}${readable(place.labels)}${place.port}.${hash(workloadKey(place))}`;
}

/** A server for pods and one of their ports. Linkerd denies all requests to them that no policy allows. */
export function server(service: Guarded): LinkerdObject {
  const { namespace, labels, port } = service;
  const spec = { podSelector: { matchLabels: labels }, port, accessPolicy: 'deny' };
  return object(service.owner, 'Server', { name: serverObjectName(service), namespace }, spec);
}

const authenticationName = (owner: string, clients: readonly MeshPeer[]): string => prefixOf(owner) + setName(clients);

/** The clients that are allowed, by their identity in the mesh. */
export function authentication({ owner, namespace }: Guarded, clients: readonly MeshPeer[]): LinkerdObject {
  const spec = { identities: clients.flatMap(({ ids }) => ids) };
  return object(owner, 'MeshTLSAuthentication', { name: authenticationName(owner, clients), namespace }, spec);
}

/** A route of a `Server`: requests to one service, and the clients that may send them. */
export interface LinkerdRoute {
  readonly server: Guarded;
  readonly service: Guarded;
  /** Whether the route must take precedence over prefixes of the same length. */
  readonly first: boolean;
  readonly hosts: readonly string[];
  readonly clients: readonly MeshPeer[];
}

const routeName = ({ service: { owner, name }, first }: Omit<LinkerdRoute, 'clients'>): string =>
  `${prefixOf(owner)}${part(name)}.${first ? 'exact.' : ''}`;

/** The maximum number of matches in one HTTPRoute. */
export const MAX_MATCHES = 8;
export const MAX_RULES = 16;

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function httpRoute({ server, hosts }: LinkerdRoute, name: string, matches: readonly unknown[]): LinkerdObject {
  const spec = {
    parentRefs: [{ group: GROUP, kind: 'Server', name: serverObjectName(server) }],
    ...(hosts.length > 0 && { hostnames: hosts }),
    rules: chunks(matches, MAX_MATCHES).map((matches) => ({ matches })),
  };
  return object(server.owner, 'HTTPRoute', { name, namespace: server.namespace }, spec);
}

function authorization({ server, clients }: LinkerdRoute, name: string): LinkerdObject {
  const spec = {
    targetRef: { group: GROUP, kind: 'HTTPRoute', name },
    requiredAuthenticationRefs: [
      { group: GROUP, kind: 'MeshTLSAuthentication', name: authenticationName(server.owner, clients) },
    ],
  };
  return object(server.owner, 'AuthorizationPolicy', { name, namespace: server.namespace }, spec);
}

/** The routes for these matches, as many as are needed. Each route has a policy, unless no client is allowed. */
export function routes(route: LinkerdRoute, matches: readonly RouteMatch[]): readonly LinkerdObject[] {
  const name = routeName(route) + setName(route.clients);
  const plain = matches.map(({ path, method }) => ({ path, ...(method !== undefined && { method }) }));
  return chunks(plain, MAX_MATCHES * MAX_RULES).flatMap((some, index) => {
    const own = index === 0 ? name : `${name}.${index + 1}`;
    const rendered = httpRoute(route, own, some);
    return route.clients.length === 0 ? [rendered] : [rendered, authorization(route, own)];
  });
}

/** A route that denies raw paths which are not canonical. Linkerd matches without decoding, so it could match such a
 * path with another rule than nginx or the service does. For Linkerd, the length of a regular expression is that of the
 * whole path, so the expression takes precedence over every prefix.
 * @param characters the characters in paths of the policy that clients may percent-encode */
export function nonCanonicalRoute(route: Omit<LinkerdRoute, 'clients'>, characters: readonly string[]): LinkerdObject {
  const path = { type: 'RegularExpression', value: nonCanonicalPattern(characters) };
  return httpRoute({ ...route, clients: [] }, `${routeName(route)}refuse.odd-paths`, [{ path }]);
}
