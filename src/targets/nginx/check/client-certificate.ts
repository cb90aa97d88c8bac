import type { Context, HostContext } from '../render-context.ts';
import { type Arg, conf, type Directive, key, line, regex, variable } from '../text/directive.ts';
import { CERTIFICATE_LOCATION } from '../text/names.ts';

/** The settings for certificates of clients. A certificate identifies the caller for the whole connection, so each new
 * connection must show it: sessions cannot be resumed, by ticket or from a cache, and connections last only for a
 * limited time.
 * @param verify whether a certificate is required */
export const certificates = (ca: string, verify: 'on' | 'optional', what: string): readonly Directive[] => conf`
  # ${what}
  ssl_client_certificate ${ca};
  // The http level may set these CAs for OCSP stapling. Without this line, nginx would also verify clients with them.
  ssl_trusted_certificate "";
  ssl_verify_client ${verify};
  ssl_verify_depth 5;
  ssl_session_cache off;
  ssl_session_tickets off;
  keepalive_time 5m;
  error_page 495 496 = ${CERTIFICATE_LOCATION};
`;

/** The CAs with which hosts verify certificates of clients. Each CA occurs once. */
const caFiles = ({ hosts }: Pick<Context, 'hosts'>): readonly string[] => [
  ...new Set(hosts.flatMap(({ host }) => host.clientCaFile ?? [])),
];

/** Whether at least one host requests certificates from clients. */
export const anyHostAsksCertificates = (context: Pick<Context, 'hosts'>): boolean => caFiles(context).length > 0;

/** Requests an optional certificate at the outer listener. Empty if the host has no CA for it. */
export function outerCertificates({ host }: HostContext): readonly Directive[] {
  if (host.clientCaFile === undefined) return [];
  const what = 'Clients may show a certificate on every connection. nginx rejects an invalid one.';
  return certificates(host.clientCaFile, 'optional', what);
}

/** Sends the certificate of the connection to the check, in escaped form. */
export function shownCertificate(context: Context, { host }: HostContext): readonly Directive[] {
  if (host.clientCaFile === undefined) return [];
  const index = caFiles(context).indexOf(host.clientCaFile);
  return conf`proxy_set_header SSL-Client-Cert ${variable(`meshgate_client_cert_${index}`)};`;
}

/** The variable with a service's certificate at the inner listener. */
export const INNER_CERTIFICATE = 'meshgate_inner_cert';

/** The host of a connection, as the left side of a map entry. nginx selects a server only by a valid name. But the star
 * of `hostnames` also matches invalid names, such as `x/y.w.test` and `x..w.test`. For these, the default server
 * verifies the certificate. The map ignores a dot at the end. */
const connectionName = (host: string): Arg =>
  host.startsWith('*.') ? regex('~*', `^(?:[a-z0-9-]+\\.)+${host.slice(2).replaceAll('.', '\\.')}\\z`) : key(host);

/** The certificate of the connection, if the connection was made for one of these hosts; otherwise empty. */
export const certificateMap = (name: string, hosts: readonly string[]): readonly Directive[] => conf`
  map $ssl_server_name ${variable(name)} {
    hostnames;
    default "";
    ${hosts.map((host) => line(connectionName(host), variable('ssl_client_escaped_cert')))}
  }
`;

/** The certificate of a client counts only if the connection was made for a host with the same CA. If the request is
 * for another host that verifies clients, nginx itself refuses it. If the connection named no host, or an unknown one,
 * the default server of the listener verified the certificate. In an operator's own nginx, this server may have
 * another CA. */
export function clientCertificateMaps(context: Context): readonly Directive[] {
  const maps = caFiles(context).flatMap((caFile, i) => {
    const names = context.hosts.flatMap(({ host }) => (host.clientCaFile === caFile ? [host.name] : []));
    return certificateMap(`meshgate_client_cert_${i}`, names);
  });
  return conf`
    # Certificates of clients count only on connections for these hosts.
    ${maps}
  `;
}
