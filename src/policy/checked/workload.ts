import { hostPort } from '../forms/units.ts';
import type { Ingress, Mesh, Service } from './types.ts';

/** Linkerd's name for a service account, in certificates and as a server name. The namespace of the control plane in it
 * is `linkerd` by default. */
export const linkerdName = (serviceAccount: string, namespace: string, trustDomain: string): string =>
  `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.${trustDomain}`;

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const KUBERNETES = new RegExp(`^spiffe://(${LABEL}(?:\\.${LABEL})*)/ns/(${LABEL})/sa/(${LABEL}(?:\\.${LABEL})*)$`);

/** The names of an identity: the SPIFFE id, and the name that Linkerd's own CA gives to the same service account. Linkerd
 * compares both as texts, so neither stands for the other. */
export function linkerdNames(spiffe: string): readonly string[] {
  const [, trustDomain, namespace, serviceAccount] = KUBERNETES.exec(spiffe) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return [spiffe];
  return [linkerdName(serviceAccount, namespace, trustDomain), spiffe];
}

/** The address of a service in the mesh: its endpoint, or else its authority. */
export function addressOf({ endpoint, authority }: Service): { readonly host: string; readonly port: number } {
  const own = hostPort(authority, 80);
  return endpoint.host === own.host && endpoint.port === 80 ? own : endpoint;
}

/** The cluster domain of Linkerd, unless an address of the policy contains another one. */
const CLUSTER_DOMAIN = 'cluster.local';

/** The address of a service by its full name in Kubernetes, NAME.NAMESPACE.svc.DOMAIN:PORT. Linkerd's proxies in ingress
 * mode look up no other names. A name that cannot be one of Kubernetes stays as it is. */
export function clusterAddress(service: Service): string {
  const { host, port } = addressOf(service);
  const [name, namespace, ...rest] = host.toLowerCase().split('.');
  const isShort = namespace === undefined || namespace === service.namespace;
  const full = (end: string) => `${name}.${namespace ?? service.namespace}.${end}:${port}`;
  if (isShort && rest.length === 0 && service.namespace !== undefined) return full(`svc.${CLUSTER_DOMAIN}`);
  if (rest.length === 1 && rest[0] === 'svc') return full(`svc.${CLUSTER_DOMAIN}`);
  return `${host.toLowerCase()}:${port}`;
}

/** Whether nginx connects to the workloads of a service itself, and not through an ingress: Linkerd's proxies accept
 * SVIDs from outside of the mesh. */
export const isReachedItself = (
  mesh: Pick<Mesh, 'kind'>,
  { serviceAccount, namespace }: Pick<Service, 'serviceAccount' | 'namespace'>,
): boolean => mesh.kind === 'linkerd' && serviceAccount !== undefined && namespace !== undefined;

/** The workloads of a service as nginx connects to them; undefined if an ingress leads there. The proxy of a workload
 * accepts a connection only with its own name as server name. */
export function workloadOf(mesh: Mesh, service: Service): Ingress | undefined {
  const { name, namespace, serviceAccount, at } = service;
  if (!isReachedItself(mesh, service) || serviceAccount === undefined || namespace === undefined) return undefined;
  const serverName = linkerdName(serviceAccount, namespace, mesh.trustDomain);
  return { name, ...addressOf(service), serverName, caFile: mesh.ingress.caFile, at };
}
