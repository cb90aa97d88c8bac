import { isWildcard } from '../../../base/host-name.ts';
import type { Tls } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { allHosts, type Context, type HostContext } from '../render-context.ts';
import { hostNameArg, ownCookies } from '../signin/sessions.ts';
import { type Arg, conf, type Directive, key, line, literal, regex, template, variable } from '../text/directive.ts';
import { HOST_LOCATION, hostFile } from '../text/names.ts';
import { listenersAt } from '../upstream/upstream-blocks.ts';

/* What differs if an ingress controller renders the configuration of nginx and includes the files of the gateway. Its
 * servers have locations of the controller and of other owners, and other hosts are in the same nginx. */

/** The name of the variable that is set for the policy's hosts in a server that does not include the gateway. */
export const UNGUARDED = 'meshgate_unguarded';

/** The first words of the file with the servers of the hosts, if the controller has none for them. */
export const SERVERS_ABOUT = 'The servers of the hosts, for http {}.';

/** How the JavaScript runs. The http level keeps its engine and its paths, which belong to all hosts. The error log of a
 * controller may be at `info`, where nginx writes whole requests with their tokens. */
export const scripts = ({ options: { dir, inController } }: Pick<Context, 'options'>): readonly Directive[] =>
  inController === undefined
    ? []
    : conf`js_engine qjs; js_path ${dir}; error_log stderr notice; # for the servers of the gateway only`;

/** The same in the server of a host, with the JavaScript for cookies of services. */
export const hostScripts = (context: Context): readonly Directive[] => conf`
  ${scripts(context)}
  ${context.options.inController && ownCookies(context)}
`;

/** The maps at the http level. */
export function controllerMaps(context: Context): readonly Directive[] {
  if (context.options.inController === undefined) return [];
  const names = allHosts(context).map(({ host }) => host.name);
  const rows = (of: readonly string[]) => of.map((name) => line(key(name), '1'));
  const wildcards = names.filter(isWildcard);
  // A host below a wildcard may have an object of its own, of another owner: then the wildcard is not its server.
  const others = wildcards.length > 0 ? variable(`${UNGUARDED}_wildcard`) : literal('');
  return conf`
    # Hosts of the policy. A server of the controller for such a host rejects all requests, unless it includes the gateway.
    map $host ${variable(UNGUARDED)} { default ${others}; ${rows(names.filter((name) => !isWildcard(name)))} }
    ${wildcards.length > 0 && conf`map $server_name ${others} { default ""; ${rows(wildcards)} }`}
    # Whether a connection over TLS was made for another host than the request names.
    map "$https $ssl_server_name $host" $meshgate_misdirected { default 1; ${regex('~*', '^on ([^ ]+) \\1$')} ""; ${regex('~', '^ ')} ""; }
  `;
}

const assigned = (directives: readonly Directive[]): readonly string[] =>
  directives.flatMap(({ name, args: [first], block = [] }) =>
    (name === 'auth_request_set' || name === 'set') && first?.kind === 'variable' ? [first.name] : assigned(block),
  );

/** Declares the variables that servers of hosts assign. Otherwise nginx would not accept http.conf before a server of a
 * host includes its file, and other hosts could not be changed until then. */
export function declarations(context: Context, files: readonly (readonly Directive[])[]): readonly Directive[] {
  const names = [...new Set(files.flatMap(assigned))].sort();
  return conf`
    # Declares variables. No request reaches this location.
    location @meshgate_variables {
      ${ownCookies(context)}
      ${names.map((name) => line('auth_request_set', variable(name), literal('')))}
    }
  `;
}

/** Sends browsers from plain HTTP to HTTPS, and rejects requests for another host than that of the connection. */
export function controllerChecks(context: Context, host: HostContext): readonly Directive[] {
  if (context.options.inController === undefined) return [];
  const port = context.policy.gateway.publicPort ?? DEFAULTS.publicPort;
  const at = template('https://', hostNameArg(host), port === 443 ? '' : `:${port}`, variable('request_uri'));
  return conf`
    ${!context.policy.gateway.insecureHttp && conf`if ($scheme = http) { return 301 ${at}; }`}
    if ($meshgate_misdirected) { rewrite ^ ${HOST_LOCATION}? last; }
  `;
}

/** Matches every path, before the locations of the controller: nginx prefers a regular expression to a prefix, and this
 * is the first one. A controller's exact paths remain, and the check of the server rejects them. */
export const EVERYTHING = regex('~', '/');

const inExpression = (path: string): string => path.replace(/[!-.:-@[-^`{-~]/g, '\\$&');

/** Matches what a location with this operator and path matches. nginx builds no tree of prefixes in a location with an
 * expression, so it tries one expression after the other. */
export const pathsAt = (operator: '=' | '^~', path: string): Arg =>
  regex('~', `^${inExpression(path)}${operator === '=' ? '\\z' : ''}`);

/** Sorts routes so that the first one that matches a path is the right one: exact paths, then longer prefixes. */
export const inOrder = (routes: HostContext['routes']): HostContext['routes'] =>
  [...routes].sort(
    ({ route: a }, { route: b }) =>
      Number(b.kind === 'exact') - Number(a.kind === 'exact') || b.path.length - a.path.length,
  );

/** The port of HTTPS in the containers of the controllers. */
const HTTPS_PORT = 443;

const tlsOf = (context: Context, { host }: HostContext): Tls | undefined => host.tls ?? context.policy.gateway.tls;

/** The hosts for which the policy names no certificate. */
export const withoutCertificate = (context: Context): readonly string[] =>
  allHosts(context).flatMap((host) => (tlsOf(context, host) === undefined ? host.host.name : []));

/** The gateway's own servers, for a controller that does not know the hosts. nginx reads a certificate again within a
 * minute after it was replaced, because its file is named by a variable. */
export function controllerServers(context: Context): readonly Directive[] {
  const served = allHosts(context).flatMap((host) => {
    const tls = tlsOf(context, host);
    return tls === undefined ? [] : [{ host, tls }];
  });
  const all = [...new Map(served.map(({ tls }) => [JSON.stringify(tls), tls])).entries()];
  const file = (field: 'cert' | 'key', tls: Tls) =>
    variable(`meshgate_tls_${field}_${all.findIndex(([text]) => text === JSON.stringify(tls))}`);
  return conf`
    ${all.flatMap(
      ([, tls]) => conf`
        map "" ${file('cert', tls)} { default ${tls.certFile}; }
        map "" ${file('key', tls)} { default ${tls.keyFile}; }
      `,
    )}
    ${served.flatMap(
      ({ host, tls }) => conf`
        server {
          ${listenersAt(context, HTTPS_PORT).flatMap((at) => conf`listen ${at} ssl;`)}
          http2 on;
          server_name ${host.host.name};
          ssl_certificate ${file('cert', tls)};
          ssl_certificate_key ${file('key', tls)};
          ssl_certificate_cache max=16 valid=60s inactive=60s;
          include ${literal(`${context.options.dir}/${hostFile(host.host.name)}`)};
        }
      `,
    )}
  `;
}
