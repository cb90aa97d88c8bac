import { FROM_CHECK, INTERNAL_NAMES } from '../../../base/internal-headers.ts';
import type { Ingress, Service } from '../../../policy/checked/types.ts';
import { type ValuePart, variable } from './directive.ts';

/** The variable with a request header. */
export const requestHeader = (name: string): ValuePart => variable(`http_${underscored(name)}`);

/** The variable with a header of the check's response. */
export const answerHeader = (name: string): ValuePart => variable(`upstream_http_${underscored(name)}`);

/** The variable with a field of `X-Meshgate-Caller`. */
export const keptField = (field: string): string => `meshgate_${field}`;

/** The variable in which nginx keeps the value of a header of the check's response. */
export const keptAs = (header: string): string => underscored(header).slice('x_'.length);

/** The variable of the identity header with this index. */
export const headerVariable = (index: number): string => `meshgate_h${index}`;

const underscored = (name: string): string => name.toLowerCase().replaceAll('-', '_');

/** How many identity headers nginx always erases, so that no client can send one that a later policy uses. */
const NUMBERED = 16;

/** All internal headers, with this number of identity headers. nginx erases them even if they are not used. */
export function internalNames(identities: number): readonly string[] {
  const numbers = Array(Math.max(NUMBERED, identities)).keys();
  return [...INTERNAL_NAMES, ...[...numbers].map((i) => FROM_CHECK.identity + i)];
}

/** The file of a host, such as `hosts/wiki.example.com.conf`. The star of a wildcard becomes `_`. */
export function hostFile(host: string): `hosts/${string}` {
  return `hosts/${host.replace(/^\*/, '_')}.conf`;
}

/** The file of a host at the inner listener, such as `inner/wiki.example.com.conf`. */
export function innerFile(host: string): `inner/${string}` {
  return `inner/${hostFile(host).slice('hosts/'.length)}`;
}

export const CHECK_UPSTREAM = 'meshgate_check';
export const CHECK_PATH = '/.meshgate/check/';
/** The path of the check in the server of an ingress controller, with as many characters. Others can add paths to such a
 * server, but no controller accepts a path with `;`. */
export const CONTROLLER_CHECK_PATH = '/.meshgate/check;';
/** The path of the inner listener's check. */
export const HOP_PATH = '/.meshgate/hop/';
/** The path at which services and meshes get the gateway's public keys. */
export const JWKS_PATH = '/.meshgate/jwks';
/** The path of internal redirects. In a redirect to a refusal, the reason is appended to this path. */
export const REFUSED_PATH = '/.meshgate/';
export const NON_CANONICAL_LOCATION = `${REFUSED_PATH}path_not_canonical`;
export const WORKER_LOCATION = '/.meshgate/worker';
export const OFTEN_LOCATION = '/.meshgate/often';
export const HOST_LOCATION = '/.meshgate/host';
export const BAD_LOCATION = '/.meshgate/bad';
/** The location for requests whose header lines are too long. */
export const LARGE_LOCATION = '/.meshgate/large';
/** The location for paths that do not exist. */
export const UNKNOWN_LOCATION = '/.meshgate/unknown';
export const CERTIFICATE_LOCATION = '/.meshgate/certificate';

/** The beginning of an upstream's name, with the protocol: two protocols must not share a pool. */
const prefix = (protocol: Service['protocol']): string => `meshgate_${protocol === undefined ? '' : `${protocol}_`}`;

/** The upstreams of one ingress, or of the ingresses that a service has, named after the first such service. The name of
 * the mesh is a part of the ingress's name if there are several. */
export type UpstreamOwner =
  | (Pick<Ingress, 'mesh'> & { readonly ingress: string })
  | { readonly service: string }
  /** The service to whose workloads nginx connects itself. */
  | { readonly workload: string };

/** The name of an ingress with the name of its mesh. The ingress `default` has no name. */
const ingressName = (ingress: string, mesh?: string): string =>
  `${mesh === undefined ? '' : `_mesh_${mesh}`}${ingress === 'default' ? '' : `_${ingress}`}`;

function ownerText(it: UpstreamOwner, word: string): string {
  if ('workload' in it) return `workload_${it.workload}`;
  return 'service' in it
    ? `${word}${word.endsWith('s') ? 'es' : 's'}_${it.service}`
    : word + ingressName(it.ingress, it.mesh);
}

/** The file with the TLS settings for an ingress. */
export const ingressFile = ({ name, mesh }: Pick<Ingress, 'name' | 'mesh'>) =>
  `ingress${mesh === undefined ? ingressName(name).replace('_', '-') : ingressName(name, mesh)}.conf` as const;

/** The name of the upstream of an ingress, or of several, for an identity. It is unique: names in policies have no
 * underscore. */
export const ingressUpstream = (it: UpstreamOwner, identity: string, protocol?: Service['protocol']): string =>
  `${prefix(protocol)}${ownerText(it, 'ingress')}_${identity}`;

/** The name of the upstream for probes of an ingress, or of the workloads of a service. No connection of it stays open. */
export const probeUpstream = (it: UpstreamOwner): string => `meshgate_probe_${ownerText(it, 'ingress')}`;

/** The location of the egress server for probes of an ingress with an identity. */
export const probeLocation = (it: UpstreamOwner, identity: string): string =>
  `/probe/${ownerText(it, 'ingress')}/${identity}/`;

/** The variable that contains the upstream for the identity of the request. Variables have no dashes: with several
 * meshes, a dash becomes two underscores, so that the names of mesh and ingress stay apart. */
export const upstreamVariable = (it: UpstreamOwner, protocol?: Service['protocol']): string =>
  prefix(protocol) + ownerText(it, 'upstream').replaceAll('-', 'mesh' in it ? '__' : '_');

/** The variable with a field of the identity of a request. */
export const identityVariableOf = (field: 'cert' | 'key', mesh: string | undefined): string =>
  `meshgate_identity_${field}${mesh === undefined ? '' : `_${underscored(mesh)}`}`;

/** The name of the upstream block for a service without a mesh. */
export const directUpstream = (service: string): string => `meshgate_direct_${service}`;
