import type { AuthorizationPolicy, HttpRoute, LinkerdObject, MeshTlsAuthentication, Server } from './objects.ts';
import { type Requested, routeOf } from './route.ts';

/**
 * How Linkerd's inbound proxy decides a request, from its documentation and from policy-controller/k8s/index/src/
 * inbound/index.rs of linkerd2 b24cd405, linkerd/app/inbound/src/policy of linkerd2-proxy 29637b6.
 */

/** A port of a pod. */
export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
}

/** A request that arrives at a pod. */
export interface Asked extends Requested {
  readonly pod: Pod;
  /** Identity that mesh TLS proved; undefined: no mesh TLS. */
  readonly client?: string;
}

export type Verdict =
  | 'allowed'
  /** 404: the server has routes, and none matches the request. */
  | 'refused: no route'
  /** 403: nothing allows the client to use the route. */
  | 'refused: not authorized';

/** All objects, by kind. */
export interface Cluster {
  readonly servers: readonly Server[];
  readonly routes: readonly HttpRoute[];
  readonly policies: readonly AuthorizationPolicy[];
  readonly authentications: ReadonlyMap<string, MeshTlsAuthentication>;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

/**
 * The objects as a cluster that accepted all of them in the same second, so that names decide instead of their age.
 *
 * @throws Error if two are the same object
 */
export function clusterOf(objects: readonly LinkerdObject[]): Cluster {
  const ids = objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`${twice} is there twice`);
  const of = <K extends LinkerdObject['kind']>(kind: K) =>
    objects.filter((object): object is Extract<LinkerdObject, { kind: K }> => object.kind === kind).sort(byName);
  return {
    servers: of('Server'),
    routes: of('HTTPRoute'),
    policies: of('AuthorizationPolicy'),
    authentications: new Map(of('MeshTLSAuthentication').map((it) => [`${it.namespace}/${it.name}`, it])),
  };
}

/** Pods of its own namespace that have all the labels; of several servers the oldest one has the port. */
function serverOf({ servers }: Cluster, { namespace, labels, port }: Pod): Server | undefined {
  return servers.find(
    (server) =>
      server.namespace === namespace &&
      server.port === port &&
      Object.entries(server.labels).every(([key, value]) => labels[key] === value),
  );
}

/** `*` is every identity, `*.x` every one that ends in `.x`: policy-controller/core/src/identity_match.rs. */
function isClient(identity: string, client: string): boolean {
  if (identity === '*') return true;
  return identity.startsWith('*.') ? client.endsWith(identity.slice(1)) : client === identity;
}

/**
 * Whether a policy allows a client: the client has all that is required. A policy that names a missing authentication
 * is ignored; one that requires nothing allows every caller.
 */
function lets(cluster: Cluster, { required }: AuthorizationPolicy, client: string | undefined): boolean {
  return required.every((name) => {
    const found = cluster.authentications.get(name);
    return found !== undefined && client !== undefined && found.identities.some((it) => isClient(it, client));
  });
}

/** The requests that a port allows if no policy applies to it:
 * https://linkerd.io/2.19/reference/authorization-policy/#default-policies */
function byDefault(accessPolicy: string, client: string | undefined): boolean {
  if (accessPolicy === 'deny') return false;
  return accessPolicy === 'audit' || accessPolicy.endsWith('-unauthenticated') || client !== undefined;
}

/** Policies of a namespace for a server, or for one of its routes. */
function policiesFor({ policies }: Cluster, namespace: string, kind: string, name: string) {
  return policies.filter((it) => it.namespace === namespace && it.target.kind === kind && it.target.name === name);
}

/** HTTP is parsed unless the port has another protocol: then server policies decide about the connection. */
const HTTP = ['unknown', 'HTTP/1', 'HTTP/2'];

/**
 * Asks the proxy of a pod.
 *
 * A port that no server selects has the default inbound policy, `all-unauthenticated` unless installed otherwise. A
 * client passes where a policy of its route lets it, or one of the server (to which the server's access policy adds):
 * policies are a union. With routes, what none of them takes is not found, whatever the server's policies say.
 */
export function verdictOf(cluster: Cluster, asked: Asked, defaultInboundPolicy = 'all-unauthenticated'): Verdict {
  const { pod, client } = asked;
  const server = serverOf(cluster, pod);
  const said = (allowed: boolean): Verdict => (allowed ? 'allowed' : 'refused: not authorized');
  if (server === undefined) return said(byDefault(defaultInboundPolicy, client));
  const { namespace, name } = server;
  const passes = (policies: readonly AuthorizationPolicy[]) => policies.some((it) => lets(cluster, it, client));
  const atServer = () =>
    byDefault(server.accessPolicy, client) || passes(policiesFor(cluster, namespace, 'Server', name));
  const routes = cluster.routes.filter((it) => it.namespace === namespace && it.servers.includes(name));
  if (routes.length === 0 || !HTTP.includes(server.protocol)) return said(atServer());
  const route = routeOf(routes, asked);
  if (route === undefined) return 'refused: no route';
  return said(atServer() || passes(policiesFor(cluster, namespace, 'HTTPRoute', route.name)));
}
