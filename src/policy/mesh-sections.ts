import * as z from 'zod';
import { hints } from './hints.ts';
import { list } from './lists.ts';
import { MESH_KINDS } from './mesh-types.ts';
import * as s from './scalars.ts';

const identity = z
  .strictObject({
    spiffe: s.spiffeId.describe('The SPIFFE id in the certificate.'),
    pem_file: s.filePath
      .describe('One PEM with certificate and key, replaced atomically: the form that rotates safely.')
      .optional(),
    svid_dir: s.filePath.describe('Folder that spiffe-helper writes to: svid.pem and svid_key.pem in it.').optional(),
    cert_file: s.certFile.optional(),
    key_file: s.keyFile.optional(),
  })
  .describe('A workload certificate that nginx connects with.');

const labels = z
  .record(z.string(), s.labelValue)
  .register(hints, { what: 'a mapping of labels', write: '{ app: confluence }' });
const labelKeys = { propertyNames: { pattern: s.LABEL_KEY.source }, minProperties: 1 };

const ingress = z.strictObject({
  address: s.endpoint.describe('Where nginx connects to.'),
  server_name: s.serverName
    .describe('DNS name in the ingress’s certificate. Default: the host of the address.')
    .optional(),
  ca_file: s.filePath.describe('CA that the ingress’s certificate is verified with.'),
  own: z
    .strictObject({
      cert_file: s.certFile,
      key_file: s.keyFile,
      client_ca_file: s.filePath.describe('CA that nginx’s certificates are verified with.'),
      listen: s.port.describe('Port that the ingress listens on.'),
      assertion_jwks_file: s.filePath
        .describe('Copy of the gateway’s key set: the ingress then verifies the signed assertion, and roles by it.')
        .optional(),
    })
    .describe('The ingress’s own side, as it sees its files; needed by render --target envoy.')
    .optional(),
  namespace: s.namespace.describe('Kubernetes namespace of the ingress.').optional(),
  labels: labels.meta({ ...labelKeys, description: 'Labels of the ingress’s pods.' }).optional(),
  service_account: s.serviceAccount
    .describe('Service account of the ingress: workloads let nobody else in.')
    .optional(),
  consul_service: s.consulService
    .describe('What the ingress is registered as in Consul: workloads let nobody else in.')
    .optional(),
});

export const mesh = z
  .strictObject({
    kind: z.enum(MESH_KINDS).describe('What the mesh is.'),
    trust_domain: s.trustDomain.describe('Trust domain of all identities.'),
    rotation: s.duration
      .describe('Longest time that a replaced certificate is still shown, on kept connections too, from 10s to 1h.')
      .meta({ default: '70s' })
      .optional(),
    ingress: ingress.describe('The door of the mesh.').optional(),
    ingresses: z
      .record(z.string(), ingress.describe('One of the doors.'))
      .register(hints, {
        what: 'a mapping of ingresses',
        write: '{ east: { address: east.mesh:8443, ca_file: /run/mesh/east.pem } }',
      })
      .meta({
        propertyNames: { pattern: s.NAME.source },
        description: 'Instead of ingress: several, by name; "default" for services that name none.',
      })
      .optional(),
    identities: z
      .record(z.string(), identity)
      .register(hints, {
        what: 'a mapping of identities',
        write: '{ default: { spiffe: spiffe://example.org/gateway, pem_file: /run/mesh/gateway.pem } }',
      })
      .meta({
        propertyNames: { pattern: s.NAME.source },
        description: 'What nginx connects as, by name; "default" where no rule says.',
      }),
    assertion_ca_file: s.filePath
      .describe('CA that Consul’s proxies verify the gateway with when they fetch its keys; a file of theirs.')
      .optional(),
  })
  .describe('The mesh behind the gateway.');

export const service = z
  .strictObject({
    authority: s.authority.describe('Host that the service receives.').optional(),
    endpoint: s.endpoint
      .describe('Where the mesh ingress finds the service. Default: the authority, port 80.')
      .optional(),
    protocol: z
      .enum(['http1', 'http2', 'grpc'])
      .describe('What the service speaks: HTTP/1.1 (WebSockets too), HTTP/2, or gRPC.')
      .meta({ default: 'http1' })
      .optional(),
    ingress: s
      .reference('ingress')
      .describe('The ingress that it is reached through, of several.')
      .meta({ default: 'default' })
      .optional(),
    url: s.httpsUrl.describe('The service is reached directly, over TLS and not through the mesh.').optional(),
    insecure_url: s.httpUrl.describe('The service is reached directly over plain HTTP.').optional(),
    ca_file: s.filePath
      .describe('CA that the service’s certificate is verified with. Default: the system’s.')
      .optional(),
    server_name: s.serverName
      .describe('DNS name in the service’s certificate. Default: the host of the URL.')
      .optional(),
    namespace: s.namespace.describe('Kubernetes namespace of the workload.').optional(),
    labels: labels.meta({ ...labelKeys, description: 'Labels of the workload’s pods.' }).optional(),
    port: s.port.describe('Port that the workload itself listens on.').optional(),
    request_headers: list(s.headerName, '[Accept, Accept-Language, Cookie, User-Agent]')
      .describe('Request headers of clients that the service receives; all others are dropped. Default: all pass.')
      .optional(),
    spiffe: s.spiffeId.describe('SPIFFE id of the service’s own workload, if an agent is this service.').optional(),
    consul_service: s.consulService
      .describe('What the workload is registered as in Consul. Default: the name here.')
      .optional(),
  })
  .describe('Something that is asked: through the mesh by authority and endpoint, or directly by url.');
