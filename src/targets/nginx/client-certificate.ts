import type { Host } from '../../policy/types.ts';
import { type Arg, block, commented, type Directive, fixed, key, line, literal, regex, variable } from './directive.ts';
import { CERTIFICATE_LOCATION } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';

/** A certificate identifies the caller for the whole connection, so each connection must show it: no session is
 * resumed, by ticket or from a cache, and no connection lasts long.
 *
 * @param verify whether a certificate is required
 */
export function certificates(clientCaFile: string, verify: 'on' | 'optional', what: string): readonly Directive[] {
  return [
    commented(what, line('ssl_client_certificate', literal(clientCaFile))),
    // nginx would also verify clients by these CAs, which the http level may have for OCSP stapling.
    line('ssl_trusted_certificate', literal('')),
    line('ssl_verify_client', verify),
    ...fixed('ssl_verify_depth 5; ssl_session_cache off; ssl_session_tickets off; keepalive_time 5m'),
    line('error_page', '495', '496', '=', literal(CERTIFICATE_LOCATION)),
  ];
}

/** The CAs with which hosts verify certificates of clients, each once. */
function caFiles({ hosts }: Pick<Scene, 'hosts'>): readonly string[] {
  return [...new Set(hosts.flatMap(({ host }) => host.clientCaFile ?? []))];
}

/** Whether some host asks clients for a certificate. */
export const asksCertificates = (scene: Pick<Scene, 'hosts'>): boolean => caFiles(scene).length > 0;

const certificateVariable = (scene: Scene, { clientCaFile = '' }: Host): string =>
  `meshgate_client_cert_${caFiles(scene).indexOf(clientCaFile)}`;

/** Requests an optional certificate at the outer listener; nothing if the host has no CA for it. */
export function outerCertificates({ host }: SceneHost): readonly Directive[] {
  if (host.clientCaFile === undefined) return [];
  return certificates(
    host.clientCaFile,
    'optional',
    'Clients may show a certificate on every connection. One that does not verify is rejected.',
  );
}

/** The certificate of the connection, escaped, for the check. */
export function shownCertificate(scene: Scene, { host }: SceneHost): readonly Directive[] {
  if (host.clientCaFile === undefined) return [];
  return [line('proxy_set_header', 'SSL-Client-Cert', variable(certificateVariable(scene, host)))];
}

/** The variable of a service's certificate at the inner listener. */
export const INNER_CERTIFICATE = 'meshgate_inner_cert';

/** The name of a connection's host, for the left side of a map. nginx selects a server only by a valid name, but the
 * star of `hostnames` also matches invalid ones, such as `x/y.w.test` and `x..w.test`, for which the default server
 * verifies. The map itself ignores a dot at the end. */
const connectionName = (host: string): Arg =>
  host.startsWith('*.') ? regex('~*', `^(?:[a-z0-9-]+\\.)+${host.slice(2).replaceAll('.', '\\.')}\\z`) : key(host);

/** The certificate of a connection that was made for one of some hosts; empty for any other. */
export const certificateMap = (name: string, hosts: readonly string[]): Directive =>
  block(
    'map',
    [variable('ssl_server_name'), variable(name)],
    [
      ...fixed('hostnames; default ""'),
      ...hosts.map((host) => line(connectionName(host), variable('ssl_client_escaped_cert'))),
    ],
  );

/** A certificate counts only if the connection was made for a host with the same CA. nginx itself refuses a request for
 * another such host on the connection. A connection without a host name, or with an unknown one, was verified by the
 * listener's default server, which in an operator's own nginx may have another CA. */
export function clientCertificateMaps(scene: Scene): readonly Directive[] {
  return caFiles(scene).map((caFile, i) => {
    const names = scene.hosts.flatMap(({ host }) => (host.clientCaFile === caFile ? [host.name] : []));
    const made = certificateMap(`meshgate_client_cert_${i}`, names);
    return i === 0 ? commented('Certificates of clients count only on connections for these hosts.', made) : made;
  });
}
