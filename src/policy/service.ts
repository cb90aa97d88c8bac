import * as z from 'zod';
import * as a from './addresses.ts';
import type { At, Defined } from './at.ts';
import { mapping } from './mapping.ts';
import * as s from './scalars.ts';
import { hostPort } from './units.ts';
import * as w from './workload-names.ts';

export const service = mapping({
  authority: a.authority.describe('Host that the service receives.').optional(),
  endpoint: a.endpoint
    .describe('Host and port of the service for the mesh ingress. Default: the authority, port 80.')
    .optional(),
  protocol: z
    .enum(['http1', 'http2', 'grpc'])
    .describe('Protocol of the service: HTTP/1.1 (WebSockets too), HTTP/2, or gRPC.')
    .meta({ default: 'http1' })
    .optional(),
  ingress: s
    .reference('ingress')
    .describe('Its ingress, if the mesh has several.')
    .meta({ default: 'default' })
    .optional(),
  url: a.httpsUrl.describe('The service is reached directly, over TLS and not through the mesh.').optional(),
  insecure_url: a.httpUrl.describe('The service is reached directly over plain HTTP.').optional(),
  ca_file: s.filePath.describe('CA for the service’s certificate. Default: the system’s.').optional(),
  server_name: a.serverName.describe('DNS name in the service’s certificate. Default: the host of the URL.').optional(),
  namespace: w.namespace.describe('Kubernetes namespace of the workload.').optional(),
  labels: w.labels('workload').optional(),
  port: a.port.describe('Port that the workload itself listens on.').optional(),
  request_headers: s
    .list(s.headerName, '[Accept, Accept-Language, Cookie, User-Agent]')
    .describe('Request headers of clients that the service receives; all others are dropped. Default: all pass.')
    .optional(),
  spiffe: w.spiffeId.describe('SPIFFE id of the service’s own workload, if an agent is this service.').optional(),
  consul_service: w.consulService.describe('The name of the workload in Consul. Default: the name here.').optional(),
}).describe('A destination of requests: through the mesh by authority and endpoint, or directly by url.');

type SaidOfService = z.output<typeof service>;

export interface Service
  extends Defined,
    Omit<SaidOfService, 'authority' | 'endpoint' | 'protocol' | 'url' | 'insecureUrl' | 'caFile' | 'serverName'> {
  readonly authority: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  /** The protocol that the service, and the ingress for it, uses; absent: HTTP/1.1. */
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

export function buildService(name: string, said: SaidOfService, at: At): Service {
  const { authority = '', endpoint, protocol, url, insecureUrl, caFile, serverName, ...rest } = said;
  const common = { ...rest, ...(protocol !== undefined && protocol !== 'http1' && { protocol }), at };
  const target = url ?? insecureUrl;
  if (target === undefined) {
    return { name, authority, endpoint: hostPort(endpoint ?? hostPort(authority, 80).host, 80), ...common };
  }
  const address = target.slice(target.indexOf('//') + 2);
  const found = hostPort(address, url === undefined ? 80 : 443);
  return {
    name,
    authority: said.authority ?? address,
    endpoint: found,
    direct: {
      ...found,
      tls: url !== undefined,
      ...(caFile !== undefined && { caFile }),
      serverName: serverName ?? found.host,
    },
    ...common,
  };
}
