import { isWildcard } from '../../base/host-name.ts';
import { FROM_CHECK, TO_SERVICE } from '../../base/internal-headers.ts';
import { noRoute, pageLocation } from '../nginx/answers/page.ts';
import { hostLocation, refusal } from '../nginx/answers/problem-files.ts';
import type { Context, HostContext, RouteContext } from '../nginx/render-context.ts';
import { identityVariable } from '../nginx/route/common-headers.ts';
import { chosen, hasChoice } from '../nginx/route/connections.ts';
import { callerValues, type RouteFiles, routeLocations } from '../nginx/route/location.ts';
import { errorPages } from '../nginx/route/proxy.ts';
import { outerListener, type RouteListener } from '../nginx/route/route-listener.ts';
import { authorization, passesAny } from '../nginx/route/service-credential.ts';
import { refusesWorkers } from '../nginx/route/worker.ts';
import { accessLog } from '../nginx/server/log.ts';
import { requestReading } from '../nginx/server/trusted-proxies.ts';
import { hasSessions, otherCookies } from '../nginx/signin/sessions.ts';
import { conf, type Directive, line, literal, variable } from '../nginx/text/directive.ts';
import { type ConfFile, included, Shelf } from '../nginx/text/files.ts';
import { CHECK_PATH, HOST_LOCATION, keptAs, REFUSED_PATH } from '../nginx/text/names.ts';
import { responseNames } from './check-answer.ts';
import { ALLOWED } from './forms.ts';

/* The servers of the checks, behind a unix socket. Each request there is the request of a client, with its own method,
 * target and host. So nginx itself finds the route, exactly as the gateway does. */

/** The socket of the servers of the checks. */
const checkSocket = ({ options }: Pick<Context, 'options'>): string => `${options.runDir}/asked.sock`;

/** The upstream of these servers. */
export const ASKED_UPSTREAM = 'meshgate_asked';

/** The file of a host's check, such as `checks/wiki.example.com.conf`. */
const checksFile = (host: string): `checks/${string}` => `checks/${host.replace(/^\*/, '_')}.conf`;

/** What a route answers to an allowed check. `try_files` comes after `auth_request`, unlike `return`. Nothing is below
 * the root, so the location that answers is always the last one. */
const target = (route: RouteContext, callerValues: readonly Directive[]): readonly Directive[] => conf`
  ${callerValues}
  ${hasChoice(route) && conf`auth_request_set $meshgate_route_service ${route.service.name};`}
  auth_request_set $meshgate_service ${chosen(route, 'service')};
  auth_request_set $meshgate_pass ${chosen(route, 'service')};
  auth_request_set $meshgate_own_service ${route.service.name};
  try_files /- @meshgate_allowed;
`;

/** The files that the locations of routes include. */
export function checkRouteFiles(context: Context): RouteFiles {
  const files: RouteFiles = { callers: new Shelf<RouteContext>(), targets: new Shelf<RouteContext>() };
  for (const route of context.hosts.flatMap(({ routes }) => routes)) {
    const what = `What the answer to a check says about requests for ${route.service.name}.`;
    files.targets.add(route, `services/${route.service.name}`, target(route, callerValues(context, route)), what);
  }
  return files;
}

const added = (name: string, value: Parameters<typeof line>[1]): Directive => line('add_header', literal(name), value);

/** The file with the location that answers allowed checks. nginx sends no header whose value is empty. */
export function allowedFile(context: Context): ConfFile {
  const [passed] = authorization('proxy', true);
  const values: readonly (readonly [string, Parameters<typeof line>[1] | undefined])[] = [
    ...context.headerNames.map((name, i) => [name, variable(identityVariable(context, i))] as const),
    [TO_SERVICE.route, variable('meshgate_route')],
    [TO_SERVICE.rule, variable('meshgate_rule')],
    [TO_SERVICE.identity, variable('meshgate_as')],
    [TO_SERVICE.erased, variable('meshgate_erased')],
    [TO_SERVICE.assertion, context.policy.gateway.assertion && variable(keptAs(FROM_CHECK.assertion))],
    ['Authorization', passesAny(context) ? passed?.args[1] : undefined],
    ['Cookie', hasSessions(context) ? otherCookies : undefined],
  ];
  const beside = { 'Set-Cookie': 'meshgate_set_cookie', 'DPoP-Nonce': 'meshgate_dpop_nonce' };
  const directives = conf`
    location @meshgate_allowed {
      default_type text/plain;
      # Only the check names a rule.
      if ($meshgate_to = "") { return 500; }
      # The ingress sends all requests of the route to the service of the route.
      if ($meshgate_to != $meshgate_own_service) { rewrite ^ ${ELSEWHERE} last; }
      ${values.flatMap(([name, value]) => (value === undefined ? [] : added(name, value)))}
      ${Object.entries(beside).flatMap(([name, from]) =>
        responseNames(context).includes(name) ? added(name, variable(from)) : [],
      )}
      ${added(ALLOWED.name, literal(ALLOWED.value))}
      add_header Cache-Control no-store;
      return 200 "";
    }
    location = ${ELSEWHERE} { internal; ${refusal(context, 'role_missing')} }
  `;
  return ['allowed.conf', directives, 'The answer to an allowed check.'];
}

/** The location for requests that only a rule with another service allows. */
const ELSEWHERE = `${REFUSED_PATH}elsewhere`;

/** All routes of a host, with the directives that they share. */
function around(context: Context, files: RouteFiles, host: HostContext, listener: RouteListener): readonly Directive[] {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  const routes = host.routes.flatMap(
    (route) => conf`
      # ${route.route.name}
      ${routeLocations(context, files, { host, door: listener, exact }, route)}
    `,
  );
  return conf`
    location ^~ / {
      root /dev/null;
      error_page 401 = ${host.sessions ? variable('meshgate_refuse_as') : '@meshgate_refuse'}; recursive_error_pages on;
      ${errorPages}
      ${routes}
      # No route of the policy covers other paths.
      ${!all && noRoute(context, host)}
    }
  `;
}

/** The file of the server that answers the checks for a host. */
export function checksConf(context: Context, files: RouteFiles, host: HostContext): ConfFile {
  const listener = outerListener(context, host);
  const { name } = host.host;
  const unknownHost = conf`if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }`;
  const directives = conf`
    # This check rejects everything that has no check of its own.
    auth_request ${CHECK_PATH}-;
    ${included(context, 'answer.conf')}
    ${isWildcard(name) && unknownHost}
    ${included(context, 'server.conf')}
    ${addressOf(context)}
    ${included(context, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${included(context, 'allowed.conf')}
    ${refusesWorkers(host)}
    ${isWildcard(name) && hostLocation(context)}
    location ^~ ${listener.check} {
      ${included(context, listener.file)}
      ${listener.credentials}
    }
    ${host.sessions && pageLocation(context, host)}
    // The endpoints of the gateway are at its listener. An ingress does not ask about them.
    ${host.sessions && conf`location ^~ ${REFUSED_PATH} { ${refusal(context, 'route_unknown')} }`}
    ${host.routes.length > 0 ? around(context, files, host, listener) : noRoute(context, host)}
  `;
  return [checksFile(name), directives, `The checks for ${name}.`];
}

/** The listener of the gateway says the address of the client, and the socket is its only way here. */
const addressOf = ({ policy }: Context): readonly Directive[] => conf`
  set_real_ip_from unix:; # the listener says the address of the client
  ${policy.gateway.trustedProxies.length === 0 && conf`real_ip_header X-Forwarded-For;`}
`;

/** The servers of the checks. */
export function checkServers(context: Context, hosts: readonly HostContext[]): readonly Directive[] {
  const at = `unix:${checkSocket(context)}`;
  const server = ({ host: { name } }: HostContext) => conf`
    server {
      listen ${at};
      server_name ${name};
      include ${context.options.dir}/${checksFile(name)};
    }
  `;
  return conf`
    # The servers of the checks: the listener sends each request here with the method, the target and the host that the ingress asks about.
    upstream ${ASKED_UPSTREAM} {
      server ${at};
      keepalive 256; keepalive_requests 100000; keepalive_timeout 60s;
    }
    server {
      listen ${at} default_server backlog=4096;
      server_name _;
      keepalive_requests 100000; keepalive_timeout 120s;
      ${requestReading}
      ${accessLog(context)}
      ${addressOf(context)}
      location / { ${refusal(context, 'host_unknown')} }
    }
    ${hosts.flatMap(server)}
  `;
}
