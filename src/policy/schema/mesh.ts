import * as z from 'zod';
import * as a from '../forms/addresses.ts';
import { type At, type Defined, define, type Locate } from '../forms/at.ts';
import { DEFAULTS } from '../forms/bounds.ts';
import { key, MESH_KINDS, mapping, optional, record, togethers, usually } from '../forms/mapping.ts';
import { type Path, quote } from '../forms/path.ts';
import * as s from '../forms/scalars.ts';
import { hostPort } from '../forms/units.ts';
import * as w from '../forms/workload-names.ts';

/** An identity. In `svid_dir`, the files have the names that spiffe-helper uses by default. */
const contains = (...keys: readonly string[]) =>
  Object.fromEntries(keys.map((key) => [key, `${key} contains both already; remove this`]));

const identity = mapping(
  {
    spiffe: key(
      {
        decides: 'destination',
        unique: (other) =>
          `identity ${quote(other)} has this SPIFFE id already; write another id, or use that identity`,
      },
      w.spiffeId.describe('The SPIFFE id in the certificate.'),
    ),
    pem_file: optional(
      'nothing',
      s.filePath,
      'One PEM file with certificate and key, for a safe rotation: replace this file atomically.',
    ),
    svid_dir: optional(
      { decides: 'nothing', excludes: contains('pem_file') },
      s.filePath,
      'The folder to which spiffe-helper writes svid.pem and svid_key.pem.',
    ),
    cert_file: key(
      { decides: 'nothing', excludes: contains('pem_file', 'svid_dir'), requires: { key_file: 'its absolute path' } },
      s.certFile.optional(),
    ),
    key_file: key(
      { decides: 'nothing', excludes: contains('pem_file', 'svid_dir'), requires: { cert_file: 'its absolute path' } },
      s.keyFile.optional(),
    ),
  },
  {
    someOf: {
      keys: ['pem_file', 'svid_dir', 'cert_file', 'key_file'],
      write: 'one file with certificate and key (or svid_dir, or cert_file and key_file)',
    },
  },
)
  .transform(({ spiffe, pemFile, svidDir, certFile, keyFile }) => ({
    spiffe,
    certFile: svidDir === undefined ? (pemFile ?? certFile ?? '') : `${svidDir}/svid.pem`,
    keyFile: svidDir === undefined ? (pemFile ?? keyFile ?? '') : `${svidDir}/svid_key.pem`,
  }))
  .describe('A workload certificate that nginx connects with.');

/** What is defined in a mesh. */
interface InMesh extends Defined {
  /** The name of the mesh, if the policy has several. */
  readonly mesh?: string;
}

export interface Identity extends InMesh, Readonly<z.output<typeof identity>> {}

const SIGNED = {
  '/gateway/assertion': 'no effect: the gateway signs nothing; write gateway.assertion, or remove this',
};

/** The keys by which other meshes know an ingress. */
const NOT_IN_CONSUL = {
  consul: 'no effect: Consul identifies the ingress by its service name; write consul_service instead, or remove this',
};

const ingress = mapping({
  address: optional(
    'destination',
    a.endpoint,
    'The address that nginx connects to. Required, unless each service has a service_account in Linkerd.',
  ),
  server_name: optional(
    'destination',
    a.serverName,
    'DNS name in the ingress’s certificate. Default: the host of the address.',
  ),
  ca_file: key('destination', s.filePath.describe('CA for the ingress’s certificate.')),
  own: key(
    'destination',
    mapping({
      cert_file: key('destination', s.certFile),
      key_file: key('destination', s.keyFile),
      client_ca_file: key('destination', s.filePath.describe('CA for nginx’s certificates.')),
      listen: key('destination', a.port.describe('Port that the ingress listens on.')),
      assertion_jwks_file: optional(
        {
          decides: 'destination',
          noEffectWithout: SIGNED,
        },
        s.filePath,
        'Copy of the gateway’s key set. With it, the ingress verifies assertions and compares the roles in them.',
      ),
    })
      .describe('The ingress’s own settings, with paths on its machine; render --target envoy needs them.')
      .optional(),
  ),
  namespace: optional(
    {
      decides: 'destination',
      notInMesh: NOT_IN_CONSUL,
      neededInMesh: { istio: 'the namespace that the ingress runs in, as in istio-system' },
    },
    w.namespace,
    'Kubernetes namespace of the ingress.',
  ),
  labels: key(
    {
      decides: 'destination',
      notInMesh: NOT_IN_CONSUL,
      neededInMesh: { istio: 'the labels of its pods, as in { istio: ingressgateway }' },
      requires: { namespace: w.OF_LABELS },
    },
    w.labels('ingress').optional(),
  ),
  service_account: optional(
    {
      decides: 'destination',
      notInMesh: NOT_IN_CONSUL,
      neededInMesh: { istio: 'the service account that the ingress runs as' },
    },
    w.serviceAccount,
    'Service account of the ingress; workloads accept no other account.',
  ),
  consul_service: optional(
    { decides: 'destination', onlyInMesh: { consul: true } },
    w.consulService,
    'The name of the ingress in Consul; workloads accept no other service.',
  ),
}).transform(({ address, ...rest }) => {
  const { host, port } = address === undefined ? NOWHERE : hostPort(address, 443);
  // nginx cannot verify a certificate that has a SPIFFE id and no DNS name.
  return { host, port, serverName: host, ...rest };
});

/** The address of an ingress that no service uses. */
const NOWHERE = { host: '', port: 0 };

/** An ingress. If it is the only one, its name is `default`. */
export interface Ingress extends InMesh, Readonly<z.output<typeof ingress>> {}

const EXAMPLE = 'spiffe://example.org/gateway';

export const mesh = mapping({
  kind: key('destination', z.enum(MESH_KINDS).describe('The kind of the mesh.')),
  trust_domain: key('destination', w.trustDomain.describe('Trust domain of all identities.')),
  // nginx uses no connection to the ingress for longer than this.
  rotation: usually(
    'nothing',
    s.secondsWithin({ least: '10s', most: '1h' }),
    `${DEFAULTS.rotation}s`,
    'How long at most nginx uses a replaced certificate, also on open connections, from 10s to 1h.',
  ),
  ingress: optional('destination', ingress, 'The ingress of the mesh.'),
  ingresses: key(
    { decides: 'destination', excludes: { ingress: true } },
    record(
      ingress.describe('One ingress of the mesh.'),
      s.NAME,
      { what: 'a mapping of ingresses', write: '{ east: { address: east.mesh:8443, ca_file: /run/mesh/east.pem } }' },
      'Several ingresses by name; services that name no ingress use "default".',
    )
      .register(togethers, { notEmpty: 'no ingress; write { east: { address: east.mesh:8443, ca_file: … } }' })
      .optional(),
  ),
  identities: key(
    'destination',
    record(
      identity,
      s.NAME,
      {
        what: 'a mapping of identities',
        write: `{ default: { spiffe: ${EXAMPLE}, pem_file: /run/mesh/gateway.pem } }`,
      },
      'The identities with which nginx connects, by name; rules that name no identity use "default".',
    ),
  ),
  assertion_ca_file: optional(
    { decides: 'destination', onlyInMesh: { consul: true }, noEffectWithout: SIGNED },
    s.filePath,
    'CA with which Consul’s proxies verify the gateway when they fetch its keys; a path on the machine of the proxies.',
  ),
}).describe('The mesh behind the gateway.');

export const meshes = record(
  mesh.describe('One mesh.'),
  s.NAME,
  { what: 'a mapping of meshes', write: '{ east: { kind: istio, … } }' },
  'Several meshes by name; services that name no mesh use "default".',
).register(togethers, { notEmpty: 'no mesh; write { east: { kind: istio, … } }' });

type DeclaredMesh = z.output<typeof mesh>;

/** A mesh. The mesh from the policy's key `mesh` has the name `default`. */
export interface Mesh extends Defined, Omit<DeclaredMesh, 'ingress' | 'ingresses' | 'identities'> {
  /** The only ingress, the first of several, or the ingress that {@link atIngress} chose. */
  readonly ingress: Ingress;
  /** All ingresses by name. The ingress from the key `ingress` has the name `default`. */
  readonly ingresses: Readonly<Record<string, Ingress>>;
  /** The ingresses that {@link atIngress} left out. They may lead to the same services. */
  readonly others?: Readonly<Record<string, Ingress>>;
  readonly identities: Readonly<Record<string, Identity>>;
}

function buildMesh(
  name: string,
  { ingress: only, ingresses: several, ...declared }: DeclaredMesh,
  path: Path,
  locate: Locate,
  own: Pick<InMesh, 'mesh'> = {},
): Mesh {
  const placed = <T extends object>(name: string, declared: T, at: At): T & InMesh => ({
    name,
    ...declared,
    ...own,
    at,
  });
  const ingresses: Mesh['ingresses'] = only
    ? { default: placed('default', only, locate([...path, 'ingress'])) }
    : define(several, [...path, 'ingresses'], locate, placed);
  const [ingress] = Object.values(ingresses);
  if (ingress === undefined) throw new Error('policy: a mesh has no ingress, and the checks accepted it');
  return {
    name,
    ...declared,
    ingress,
    ingresses,
    identities: define(declared.identities, [...path, 'identities'], locate, placed),
    at: locate(path),
  };
}

/** Builds the mesh from `mesh`, or all meshes from `meshes`. */
export function buildMeshes(
  only: DeclaredMesh | undefined,
  several: Readonly<Record<string, DeclaredMesh>> = {},
  locate: Locate,
): Readonly<Record<string, Mesh>> {
  if (only) return { default: buildMesh('default', only, ['mesh'], locate) };
  const named = Object.keys(several).length > 1;
  const build = (name: string, declared: DeclaredMesh) =>
    buildMesh(name, declared, ['meshes', name], locate, named ? { mesh: name } : {});
  return define(several, ['meshes'], locate, build);
}
