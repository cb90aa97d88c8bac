import * as z from 'zod';
import * as a from './addresses.ts';
import { type At, type Defined, define, type Locate } from './at.ts';
import { DEFAULTS } from './bounds.ts';
import { mapping, optional, record, usually } from './mapping.ts';
import * as s from './scalars.ts';
import { hostPort } from './units.ts';
import * as w from './workload-names.ts';

export const MESH_KINDS = ['envoy', 'istio', 'linkerd', 'consul'] as const;

export type MeshKind = (typeof MESH_KINDS)[number];

/** An identity. With `svid_dir` the files have the names that spiffe-helper uses by default. */
const identity = mapping({
  spiffe: w.spiffeId.describe('The SPIFFE id in the certificate.'),
  pem_file: optional(
    s.filePath,
    'One PEM with certificate and key, replaced atomically: the form that rotates safely.',
  ),
  svid_dir: optional(s.filePath, 'Folder that spiffe-helper writes to: svid.pem and svid_key.pem in it.'),
  cert_file: s.certFile.optional(),
  key_file: s.keyFile.optional(),
})
  .transform(({ spiffe, pemFile, svidDir, certFile, keyFile }) => ({
    spiffe,
    certFile: svidDir === undefined ? (pemFile ?? certFile ?? '') : `${svidDir}/svid.pem`,
    keyFile: svidDir === undefined ? (pemFile ?? keyFile ?? '') : `${svidDir}/svid_key.pem`,
  }))
  .describe('A workload certificate that nginx connects with.');

export interface Identity extends Defined, Readonly<z.output<typeof identity>> {}

const ingress = mapping({
  address: a.endpoint.describe('The address that nginx connects to.'),
  server_name: optional(a.serverName, 'DNS name in the ingress’s certificate. Default: the host of the address.'),
  ca_file: s.filePath.describe('CA for the ingress’s certificate.'),
  own: mapping({
    cert_file: s.certFile,
    key_file: s.keyFile,
    client_ca_file: s.filePath.describe('CA for nginx’s certificates.'),
    listen: a.port.describe('Port that the ingress listens on.'),
    assertion_jwks_file: optional(
      s.filePath,
      'Copy of the gateway’s key set: the ingress then verifies the signed assertion, and roles by it.',
    ),
  })
    .describe('The ingress’s own side, as it sees its files; needed by render --target envoy.')
    .optional(),
  namespace: optional(w.namespace, 'Kubernetes namespace of the ingress.'),
  labels: w.labels('ingress').optional(),
  service_account: optional(w.serviceAccount, 'Service account of the ingress: workloads accept no other.'),
  consul_service: optional(w.consulService, 'The name of the ingress in Consul: workloads accept no other.'),
}).transform(({ address, ...rest }) => {
  const { host, port } = hostPort(address, 443);
  // nginx cannot verify a certificate that has a SPIFFE id and no DNS name.
  return { host, port, serverName: host, ...rest };
});

/** An ingress. If it is the only one, its name is `default`. */
export interface Ingress extends Defined, Readonly<z.output<typeof ingress>> {}

const EXAMPLE = 'spiffe://example.org/gateway';

export const mesh = mapping({
  kind: z.enum(MESH_KINDS).describe('The kind of the mesh.'),
  trust_domain: w.trustDomain.describe('Trust domain of all identities.'),
  // No connection to the ingress is used for longer than this.
  rotation: usually(
    s.secondsWithin({ least: '10s', most: '1h' }),
    `${DEFAULTS.rotation}s`,
    'Longest time that a replaced certificate is still used, on open connections too, from 10s to 1h.',
  ),
  ingress: optional(ingress, 'The ingress of the mesh.'),
  ingresses: record(
    ingress.describe('One ingress of the mesh.'),
    s.NAME,
    { what: 'a mapping of ingresses', write: '{ east: { address: east.mesh:8443, ca_file: /run/mesh/east.pem } }' },
    'Instead of ingress: several, by name; "default" for services that name none.',
  ).optional(),
  identities: record(
    identity,
    s.NAME,
    { what: 'a mapping of identities', write: `{ default: { spiffe: ${EXAMPLE}, pem_file: /run/mesh/gateway.pem } }` },
    'The identities that nginx connects with, by name; "default" for rules that name none.',
  ),
  assertion_ca_file: optional(
    s.filePath,
    'CA with which Consul’s proxies verify the gateway when they fetch its keys; a path on their machine.',
  ),
}).describe('The mesh behind the gateway.');

type SaidOfMesh = z.output<typeof mesh>;

export interface Mesh extends Omit<SaidOfMesh, 'ingress' | 'ingresses' | 'identities'> {
  /** The ingress, the first of several, or the one that {@link atIngress} chose. */
  readonly ingress: Ingress;
  /** All ingresses by name. The one from `mesh.ingress` has the name `default`. */
  readonly ingresses: Readonly<Record<string, Ingress>>;
  readonly identities: Readonly<Record<string, Identity>>;
  readonly at: At;
}

const placed = <T extends object>(name: string, said: T, at: At): T & Defined => ({ name, ...said, at });

export function buildMesh({ ingress: only, ingresses: several, ...said }: SaidOfMesh, locate: Locate): Mesh {
  const ingresses: Mesh['ingresses'] = only
    ? { default: placed('default', only, locate(['mesh', 'ingress'])) }
    : define(several, ['mesh', 'ingresses'], locate, placed);
  const [ingress] = Object.values(ingresses);
  if (ingress === undefined) throw new Error('policy: a mesh without an ingress was not refused');
  return {
    ...said,
    ingress,
    ingresses,
    identities: define(said.identities, ['mesh', 'identities'], locate, placed),
    at: locate(['mesh']),
  };
}
