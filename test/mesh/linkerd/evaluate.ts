import { isInNetwork } from './networks.ts';
import type {
  AuthorizationPolicy,
  HttpRoute,
  LinkerdObject,
  MeshTlsAuthentication,
  NetworkAuthentication,
  Selector,
  Server,
} from './objects.ts';
import { type Target, targetOf } from './request.ts';
import { routeOf } from './route.ts';

/**
 * How Linkerd's inbound proxy decides a request, from its documentation and from policy-controller/k8s/index/src/
 * inbound/index.rs of linkerd2 b24cd405, linkerd/app/inbound/src/policy of linkerd2-proxy 29637b6. The answers of a
 * real proxy are compared in test/mesh/linkerd-answers.test.ts.
 */

/** A port of a pod. */
export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  /** Names that containers give to the port. */
  readonly portNames?: readonly string[];
  /** Paths of the HTTP probes of this port. */
  readonly probes?: readonly string[];
}

/** A request that arrives at a pod. */
export interface Requested {
  readonly pod: Pod;
  readonly method: string;
  /** The target as it is sent: a path with its query, or an absolute form. */
  readonly path: string;
  /** Host header, or `:authority`. */
  readonly authority: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** '' for bytes that are no HTTP. Default: HTTP/1.1. */
  readonly protocol?: string;
  /** Whether the client speaks mesh TLS. Default: yes. */
  readonly tls?: boolean;
  /** Identity that mesh TLS proved, see {@link ./tls.ts}; undefined: none. */
  readonly client?: string;
  /** The address of the client. */
  readonly source?: string;
}

export type Verdict =
  | 'allowed'
  /** 404: the server has routes, and none matches the request. */
  | 'refused: no route'
  /** 403: nothing allows the client to use the route. */
  | 'refused: not authorized'
  /** 400 */
  | 'refused: malformed'
  /** The connection ends without an answer. */
  | 'refused: connection';

/** All objects, by kind. */
export interface Cluster {
  readonly servers: readonly Server[];
  readonly routes: readonly HttpRoute[];
  readonly policies: readonly AuthorizationPolicy[];
  readonly authentications: ReadonlyMap<string, MeshTlsAuthentication>;
  readonly networks: ReadonlyMap<string, NetworkAuthentication>;
}

const byAge = (a: LinkerdObject, b: LinkerdObject): number =>
  a.created === b.created ? (a.name < b.name ? -1 : 1) : a.created < b.created ? -1 : 1;

/**
 * The objects as a cluster.
 *
 * @param isAccepted whether the controller has accepted a route; only then it counts
 * @throws Error if two are the same object
 */
export function clusterOf(
  objects: readonly LinkerdObject[],
  isAccepted: (route: HttpRoute) => boolean = () => true,
): Cluster {
  const ids = objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`${twice} is there twice`);
  const of = <K extends LinkerdObject['kind']>(kind: K) =>
    objects.filter((object): object is Extract<LinkerdObject, { kind: K }> => object.kind === kind).sort(byAge);
  const named = <T extends LinkerdObject>(all: readonly T[]): ReadonlyMap<string, T> =>
    new Map(all.map((it) => [`${it.namespace}/${it.name}`, it]));
  return {
    servers: of('Server'),
    routes: of('HTTPRoute').filter(isAccepted),
    policies: of('AuthorizationPolicy'),
    authentications: named(of('MeshTLSAuthentication')),
    networks: named(of('NetworkAuthentication')),
  };
}

function selects({ labels, expressions }: Selector, of: Pod['labels']): boolean {
  const isSatisfied = ({ key, operator, values }: Selector['expressions'][number]): boolean => {
    const value = of[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const isOne = value !== undefined && values.includes(value);
    return operator === 'In' ? isOne : !isOne;
  };
  return Object.entries(labels).every(([key, value]) => of[key] === value) && expressions.every(isSatisfied);
}

/** The server of a port, in the pod's own namespace; of several, the oldest one. */
function serverOf({ servers }: Cluster, { namespace, labels, port, portNames = [] }: Pod): Server | undefined {
  return servers.find(
    (server) =>
      server.namespace === namespace &&
      (server.port === port || portNames.some((name) => name === server.port)) &&
      selects(server.pods, labels),
  );
}

/** The trust domain and the cluster networks of the installation from which the stored answers are. */
const TRUST_DOMAIN = 'cluster.local';
const CLUSTER_NETWORKS = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'];

/** Patterns of identities know DNS names only: policy-controller/core/src/identity_match.rs. */
const isDnsName = (client: string | undefined): client is string => client !== undefined && !client.includes('://');

/** `*` is every DNS name, `*.x` every one that ends in `.x`; a SPIFFE id is compared as a whole. */
function isClient(identity: string, client: string): boolean {
  if (!identity.startsWith('*')) return client === identity;
  return isDnsName(client) && client.endsWith(identity.slice(1));
}

const accountId = (namespace: string, name: string): string =>
  `${name}.${namespace}.serviceaccount.identity.linkerd.${TRUST_DOMAIN}`;

type Client = Pick<Requested, 'client' | 'source'>;

/** Whether a client has what is required; undefined if there is no such object. */
function has(
  cluster: Cluster,
  { kind, namespace, name }: AuthorizationPolicy['required'][number],
  { client, source = '10.9.0.1' }: Client,
): boolean | undefined {
  if (kind === 'serviceaccount') return client === accountId(namespace, name);
  if (kind === 'networkauthentication') {
    const found = cluster.networks.get(`${namespace}/${name}`);
    return found?.networks.some(
      ({ cidr, except }) => isInNetwork(source, cidr) && !except.some((part) => isInNetwork(source, part)),
    );
  }
  const found = cluster.authentications.get(`${namespace}/${name}`);
  if (found === undefined) return undefined;
  const accounts = found.accounts.map((it) => accountId(it.namespace, it.name ?? '*').replace(/^\*(?=\.)/, '*'));
  return client !== undefined && [...found.identities, ...accounts].some((it) => isClient(it, client));
}

/**
 * Whether a policy allows a client: the client has all that is required. A policy that names a missing object is
 * ignored; one that requires nothing allows every caller.
 */
const lets = (cluster: Cluster, { required }: AuthorizationPolicy, client: Client): boolean =>
  required.every((it) => has(cluster, it, client) === true);

/** The requests that a port allows if no policy applies to it:
 * https://linkerd.io/2.19/reference/authorization-policy/#default-policies */
function byDefault(accessPolicy: string, { client, source = '10.9.0.1' }: Client): boolean {
  if (accessPolicy === 'deny') return false;
  if (accessPolicy === 'audit') return true;
  const isNear = !accessPolicy.startsWith('cluster-') || CLUSTER_NETWORKS.some((it) => isInNetwork(source, it));
  return isNear && (accessPolicy.endsWith('-unauthenticated') || isDnsName(client));
}

/** Policies of a namespace for a server or one of its routes. */
function policiesFor({ policies }: Cluster, namespace: string, kind: string, name: string) {
  return policies.filter(
    (it) => it.namespace === namespace && it.target.kind === kind && it.target.name.toLowerCase() === name,
  );
}

/** A request as far as the proxy read it, or what ends it before. */
function read({ method, path, authority, protocol = 'HTTP/1.1' }: Requested): Target | 'not HTTP' | 'malformed' {
  if (protocol === '') return 'not HTTP';
  if (protocol === 'HTTP/2' && authority !== '' && /[/%]/.test(authority)) return 'malformed';
  return targetOf(path, authority, method);
}

/**
 * Asks the proxy of a pod.
 *
 * A port that no server selects has the default inbound policy, `all-unauthenticated` unless installed otherwise. A
 * client passes where a policy of its route lets it, or one of the server (to which the server's access policy adds):
 * policies are a union. With routes, what none of them takes is not found, whatever the server's policies say.
 */
export function verdictOf(
  cluster: Cluster,
  requested: Requested,
  defaultInboundPolicy = 'all-unauthenticated',
): Verdict {
  const { pod, method, headers = {}, protocol = 'HTTP/1.1', tls = true } = requested;
  const server = serverOf(cluster, pod);
  const kind = server?.protocol ?? 'unknown';
  // Without a server the proxy terminates TLS too.
  const client: Client = kind === 'opaque' ? { ...requested, client: undefined as never } : requested;
  const passes = (policies: readonly AuthorizationPolicy[]) => policies.some((it) => lets(cluster, it, client));
  const atServer = () => {
    if (server === undefined) return byDefault(defaultInboundPolicy, client);
    const { namespace, name } = server;
    const own = [
      ...policiesFor(cluster, namespace, 'server', name),
      ...policiesFor(cluster, namespace, 'namespace', namespace),
    ];
    return byDefault(server.accessPolicy, client) || passes(own);
  };
  const connection = (allowed: boolean): Verdict => (allowed ? 'allowed' : 'refused: connection');
  // The application speaks no TLS.
  if (kind === 'opaque') return connection(!tls && atServer());
  if (kind === 'TLS') return connection(atServer());
  const target = read(requested);
  if (target === 'not HTTP') return withoutHttp(kind, tls) ?? connection(atServer());
  const isNew = protocol === 'HTTP/2';
  if (kind === 'HTTP/1' && isNew && !tls) return 'refused: connection';
  if ((kind === 'HTTP/2' || kind === 'gRPC') && !isNew) return 'refused: connection';
  if (target === 'malformed') return isNew ? 'refused: connection' : 'refused: malformed';
  const reported = (allowed: boolean): Verdict => (allowed ? 'allowed' : 'refused: not authorized');
  if (kind === 'gRPC') {
    const isGrpc = /^application\/grpc/.test(headers['content-type'] ?? '');
    return isGrpc ? reported(atServer()) : 'refused: no route';
  }
  const routes = server === undefined ? [] : cluster.routes.filter((it) => isRouteOf(it, server));
  if (server === undefined || routes.length === 0) {
    const isProbe = server !== undefined && method === 'GET' && (pod.probes ?? []).includes(target.path);
    return reported(isProbe || atServer());
  }
  const route = routeOf(routes, { ...target, method, headers });
  if (route === undefined) return 'refused: no route';
  return reported(atServer() || passes(policiesFor(cluster, server.namespace, 'httproute', route.name)));
}

/** How a port ends a connection whose first bytes are no HTTP, if its server names a protocol. */
function withoutHttp(kind: string, tls: boolean): Verdict | undefined {
  if (kind === 'unknown') return undefined;
  return kind === 'HTTP/1' && !tls ? 'refused: malformed' : 'refused: connection';
}

/** A route in another namespace than its server does not count. */
const isRouteOf = (route: HttpRoute, { namespace, name }: Server): boolean =>
  route.namespace === namespace && route.servers.includes(`${namespace}/${name}`);
