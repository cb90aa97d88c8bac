import * as z from 'zod';
import * as a from '../forms/addresses.ts';
import type { At, Defined } from '../forms/at.ts';
import { computed, key, named, optional, teamMapping } from '../forms/mapping.ts';
import { quote } from '../forms/path.ts';
import * as s from '../forms/scalars.ts';
import { hostPort } from '../forms/units.ts';
import * as w from '../forms/workload-names.ts';
import { choices } from './failover.ts';
import { address, grantedFile, insecure, listed, serviceName } from './team-limits.ts';

/** The keys of a service that nginx reaches through the mesh. */
const IN_MESH = {
  excludes: { 'url|insecure_url': 'no effect: nginx reaches the service by its url; remove it' },
};

/** The keys that say where a workload runs. */
const AT_WORKLOAD = {
  ...IN_MESH,
  notInMesh: {
    consul:
      'no effect: Consul identifies a workload by its service name; write consul_service if this name differs, or remove this',
  },
};

/** The keys with which nginx verifies a service itself. */
const VERIFIED = {
  excludes: { insecure_url: 'no effect: plain http has no certificate; remove it' },
  noEffectWithout: { 'url|insecure_url': 'no effect: nginx verifies the ingress of the mesh; remove it' },
};

export const service = teamMapping({
  authority: optional(
    { decides: 'destination', team: { text: address(80) } },
    a.authority,
    'The Host header that the service receives. Default: the host that the client requested, if there is a url or insecure_url.',
  ),
  endpoint: optional(
    { decides: 'destination', team: { text: address(80) }, ...IN_MESH },
    a.endpoint,
    'Host and port of the service for the mesh ingress. Default: the authority, port 80.',
  ),
  protocol: computed(
    { decides: 'destination', team: 'free' },
    z.enum(['http1', 'http2', 'grpc']),
    'http1',
    'Protocol of the service: HTTP/1.1 (WebSockets too), HTTP/2, or gRPC.',
  ),
  mesh: computed(
    { decides: 'destination', team: 'free', ...IN_MESH },
    s.reference('mesh'),
    'default',
    'The mesh of this service, if the policy has several.',
  ),
  ingress: computed(
    { decides: 'destination', team: 'free', ...IN_MESH },
    s.reference('ingress'),
    'default',
    'The ingress of this service, if the mesh has several.',
  ),
  ingresses: key(
    { decides: 'destination', team: 'free', excludes: { ...IN_MESH.excludes, ingress: true } },
    choices.optional(),
  ),
  url: optional(
    { decides: 'destination', team: { text: address(443, (text) => text.replace(/^https:\/\//, '')) } },
    a.httpsUrl,
    'The URL at which nginx reaches the service directly, over TLS and not through the mesh.',
  ),
  insecure_url: optional(
    { decides: 'destination', team: insecure, excludes: { url: true } },
    a.httpUrl,
    'The URL at which nginx reaches the service directly, over plain HTTP.',
  ),
  ca_file: optional(
    { decides: 'destination', team: grantedFile, ...VERIFIED },
    s.filePath,
    'CA for the service’s certificate. Default: the system’s.',
  ),
  server_name: optional(
    { decides: 'destination', team: 'free', ...VERIFIED },
    a.serverName,
    'DNS name in the service’s certificate. Default: the host of the URL.',
  ),
  namespace: optional(
    {
      decides: 'destination',
      team: { text: listed('namespaces', 'namespace') },
      ...AT_WORKLOAD,
      neededInMesh: { linkerd: 'the namespace that the workload runs in' },
    },
    w.namespace,
    'Kubernetes namespace of the workload.',
  ),
  labels: key(
    {
      decides: 'destination',
      team: 'free',
      ...AT_WORKLOAD,
      requires: { namespace: w.OF_LABELS },
      neededInMesh: { linkerd: 'the labels of its pods, as in { app: confluence }' },
    },
    w.labels('workload').optional(),
  ),
  port: optional(
    {
      decides: 'destination',
      team: 'free',
      ...AT_WORKLOAD,
      neededInMesh: { linkerd: 'the port that the workload itself listens on' },
    },
    a.port,
    'Port that the workload itself listens on.',
  ),
  service_account: optional(
    {
      decides: 'destination',
      team: 'free',
      ...IN_MESH,
      onlyInMesh: {
        linkerd: 'no effect: nginx reaches only workloads of Linkerd without an ingress; remove it',
      },
    },
    w.serviceAccount,
    'Service account of the Linkerd workload. With it, nginx connects to the workload itself and not through an ingress.',
  ),
  request_headers: optional(
    { decides: 'destination', team: 'free' },
    s.headerNames('[Accept, Accept-Language, Cookie, User-Agent]'),
    'Request headers of clients that the service receives; nginx erases all others. Default: all pass.',
  ),
  response_headers: optional(
    {
      decides: 'nothing',
      team: {
        never:
          'these headers concern the whole host, also what other teams serve there; ask the owners of the policy to write them, and remove it',
      },
    },
    s.headerNames('[Alt-Svc, Origin-Agent-Cluster]'),
    'Response headers that the service may send although the gateway drops them by default.',
  ),
  session_cookies: optional(
    { decides: 'destination', team: 'free' },
    s.serviceCookies('[JSESSIONID]'),
    'Cookies that contain the service’s own session: the gateway passes each only in requests of the caller that it was set for. Default: all cookies that are `HttpOnly`. [] is for none.',
  ),
  spiffe: optional(
    {
      decides: 'request',
      team: { never: 'only an agent needs this, and the owners of the policy define agents; remove it' },
      unique: (other) =>
        `service ${quote(other)} has this SPIFFE id, too, so each could act as the other; write another`,
    },
    w.spiffeId,
    'SPIFFE id of the service’s own workload, if an agent is this service.',
  ),
  consul_service: optional(
    { decides: 'destination', team: { text: serviceName }, ...IN_MESH, onlyInMesh: { consul: true } },
    w.consulService,
    'The name of the workload in Consul. Default: the service’s name here.',
  ),
}).describe('A destination of requests, which nginx reaches through the mesh (authority, endpoint) or directly (url).');

type DeclaredService = z.output<typeof service>;

export interface Service
  extends Defined,
    Omit<DeclaredService, 'authority' | 'endpoint' | 'protocol' | 'url' | 'insecureUrl' | 'caFile' | 'serverName'> {
  /** The team in whose file it is; absent: it is not in the file of a team. */
  readonly team?: string;
  /** Empty: the service receives the host that the client requested. In a mesh it is never empty. */
  readonly authority: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  /** The protocol of the service, which the ingress uses, too. Absent: HTTP/1.1. */
  readonly protocol?: 'http2' | 'grpc';
  /** Set if nginx connects to the service directly and not through the mesh ingress. */
  readonly direct?: {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly caFile?: string;
    readonly serverName: string;
  };
}

export function buildService(name: string, declared: DeclaredService, at: At): Service {
  const { authority = '', endpoint, protocol, url, insecureUrl, caFile, serverName, ...rest } = declared;
  const common = { ...rest, ...(protocol !== undefined && protocol !== 'http1' && { protocol }), at };
  const target = url ?? insecureUrl;
  if (target === undefined) {
    return { name, authority, endpoint: hostPort(endpoint ?? hostPort(authority, 80).host, 80), ...common };
  }
  const found = hostPort(target.slice(target.indexOf('//') + 2), url === undefined ? 80 : 443);
  return {
    name,
    authority,
    endpoint: found,
    direct: named({ ...found, tls: url !== undefined, caFile, serverName: serverName ?? found.host }),
    ...common,
  };
}
