import { FROM_CHECK, INTERNAL_NAMES } from '../../internal-headers.ts';
import type { Service } from '../../policy/types.ts';
import { type Part, variable } from './directive.ts';

/** The variable of a request header. */
export function requestHeader(name: string): Part {
  return variable(`http_${underscored(name)}`);
}

/** The variable of a header in the check's answer. */
export function answerHeader(name: string): Part {
  return variable(`upstream_http_${underscored(name)}`);
}

/** The variable of a field of `X-Meshgate-Caller`. */
export const keptField = (field: string): string => `meshgate_${field}`;

/** Variable in which nginx keeps what a header of the check's answer says. */
export const keptAs = (header: string): string => underscored(header).slice('x_'.length);

/** Variable of the i-th identity header. */
export function headerVariable(index: number): string {
  return `meshgate_h${index}`;
}

export function underscored(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Number of identity headers that are always erased, so that the next number is never open. */
const NUMBERED = 16;

/** Every internal header. nginx erases them in requests of clients, whatever the policy uses.
 *
 * @param identities number of identity headers of the policy
 */
export function internalNames(identities: number): readonly string[] {
  const numbers = Array(Math.max(NUMBERED, identities)).keys();
  return [...INTERNAL_NAMES, ...[...numbers].map((i) => FROM_CHECK.identity + i)];
}

/** `hosts/wiki.example.com.conf`; a wildcard's star is written `_`. */
export function hostFile(host: string): `hosts/${string}` {
  return `hosts/${host.replace(/^\*/, '_')}.conf`;
}

/** `inner/wiki.example.com.conf`: the same host at the inner listener. */
export function innerFile(host: string): `inner/${string}` {
  return `inner/${hostFile(host).slice('hosts/'.length)}`;
}

export const CHECK_UPSTREAM = 'meshgate_check';
export const CHECK_PATH = '/.meshgate/check/';
/** The check of the inner listener. */
export const HOP_PATH = '/.meshgate/hop/';
/** The gateway's public keys, for services and meshes. */
export const JWKS_PATH = '/.meshgate/jwks';
/** Path of internal redirects. For a path that is refused, the reason follows it. */
export const REFUSED_PATH = '/.meshgate/';
export const ODD_LOCATION = `${REFUSED_PATH}path_not_canonical`;
export const WORKER_LOCATION = '/.meshgate/worker';
export const OFTEN_LOCATION = '/.meshgate/often';
export const HOST_LOCATION = '/.meshgate/host';
export const BAD_LOCATION = '/.meshgate/bad';
/** Location for requests whose header lines are too long. */
export const LARGE_LOCATION = '/.meshgate/large';
export const CERTIFICATE_LOCATION = '/.meshgate/certificate';

/** Connections of two protocols must not share a pool. */
const prefix = (protocol: Service['protocol']): string => `meshgate_${protocol === undefined ? '' : `${protocol}_`}`;

/** Upstream block for an ingress of the mesh with one identity. Names contain no underscore. */
export function ingressUpstream(ingress: string, identity: string, protocol?: Service['protocol']): string {
  return `${prefix(protocol)}ingress_${ingress === 'default' ? '' : `${ingress}_`}${identity}`;
}

/** The variable that selects an ingress's upstream by the identity. */
export function upstreamVariable(ingress: string, protocol?: Service['protocol']): string {
  return `${prefix(protocol)}upstream${ingress === 'default' ? '' : `_${underscored(ingress)}`}`;
}

/** Upstream block of a service without a mesh. */
export function directUpstream(service: string): string {
  return `meshgate_direct_${service}`;
}
