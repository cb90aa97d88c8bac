import { FROM_CHECK } from '../../../base/internal-headers.ts';
import { hasSeveral, hasSeveralMeshes } from '../../../policy/checked/ingresses.ts';
import type { Service } from '../../../policy/checked/types.ts';
import { PROXY_DEFAULTS } from '../../../policy/forms/bounds.ts';
import { failoverTime } from '../../../policy/schema/failover.ts';
import { alwaysField, isLong } from '../../../rules/table/carrier.ts';
import { givesNonces } from '../check/proof-headers.ts';
import type { Context, HostContext, RouteContext } from '../render-context.ts';
import { pathsAt } from '../server/controller.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, line, variable } from '../text/directive.ts';
import { type ConfFile, type FileName, included, Shelf } from '../text/files.ts';
import { answerHeader, headerVariable, keptAs, keptField } from '../text/names.ts';
import { identityVariable } from './common-headers.ts';
import { chosen, hasChoice, hasFailover, namesDestination } from './connections.ts';
import { corsDirectives, preflightRoute } from './cors.ts';
import { grpcErrorPages } from './grpc.ts';
import { passedHeaders } from './hide.ts';
import { certificateFor, goesOn, moduleOf, upstreamTls, verified } from './module.ts';
import { answerRule } from './path-answers.ts';
import { proxySettings } from './proxy-directives.ts';
import { listedHostHeaders, restricted } from './request-headers.ts';
import type { RouteListener } from './route-listener.ts';
import { refusesWorkersAt } from './worker.ts';

const fromAnswer = (header: string) => line('auth_request_set', variable(keptAs(header)), answerHeader(header));

/** Keeps the value of an identity header, unless the variable of another field has it already. */
function identity(context: Context, { index, source }: RouteContext['headers'][number]): readonly Directive[] {
  const own = headerVariable(index);
  if (identityVariable(context, index) !== own) return [];
  const field = alwaysField(source);
  if (field !== undefined) return [line('auth_request_set', variable(own), variable(keptField(field)))];
  if (!isLong(source)) return [];
  return [line('auth_request_set', variable(own), answerHeader(`${FROM_CHECK.identity}${index}`))];
}

/** The file with the variables that keep values of the check's response. They are empty for absent headers. */
export function answerFile(context: Context): ConfFile {
  const headers = [
    ...[FROM_CHECK.status, FROM_CHECK.reason, FROM_CHECK.detail, FROM_CHECK.retryAfter],
    ...(hasSessions(context) ? [FROM_CHECK.setCookie, FROM_CHECK.signin] : []),
    ...(givesNonces(context) ? [FROM_CHECK.dpopNonce] : []),
  ];
  const rule = line('auth_request_set', variable(keptField('rule')), answerRule);
  return ['answer.conf', [rule, ...headers.map(fromAnswer)], 'What nginx keeps from every response of the check.'];
}

/** The map that empties the destination if the check's response names no rule. Another response with a 2xx status leads
 * to no service. An example is a `return 200` at the server level, which nginx also runs for the check's subrequest. */
export const passMap = conf`
  # A request goes to a service only if the check names a rule that allows it.
  map $meshgate_rule $meshgate_to { "" ""; default $meshgate_pass; }
`;

/** Whether a route's service uses HTTP/2 without gRPC. */
export const speaksHttp2 = ({ hosts }: Pick<Context, 'hosts'>): boolean =>
  hosts.some(({ routes }) => routes.some(({ service }) => service.protocol === 'http2'));

const inMesh = ({ direct }: Service): boolean => direct === undefined;

/** The TLS settings of a location that does not lead only to the ingress. All its services have the same CA. */
function ownTls(route: RouteContext): readonly Directive[] {
  const ca = route.targets.find((target) => target.tls !== undefined)?.tls?.ca;
  if (ca === undefined) return [];
  const module = moduleOf(route.service);
  const mesh = route.services.some(inMesh);
  const isWorkload = route.targets.every(({ ingresses }) => ingresses?.isWorkload);
  return [
    ...upstreamTls(module),
    ...(isWorkload ? conf`${module}_ssl_protocols TLSv1.3; # Linkerd's proxies speak no other version` : []),
    ...verified(module, chosen(route, 'name'), ca),
    ...(mesh
      ? certificateFor(module, variable('meshgate_cert'), variable('meshgate_key'))
      : certificateFor(module, '', '')),
  ];
}

/** The time in seconds during which an attempt to reach another ingress may begin. The last attempt takes up to twice
 * `connect_timeout`, for the connection and for TLS, and then the assertion must still be valid. */
const attempts = ({ policy }: Context, { route }: RouteContext): number =>
  failoverTime(policy.gateway.assertion?.lifetime) - 2 * (route.proxy ?? PROXY_DEFAULTS).connectTimeout;

/** The directives of a route whose requests go on to another ingress. */
const failover = (context: Context, route: RouteContext): readonly Directive[] => conf`
  if ($meshgate_odd_method) { return 501; }
  ${goesOn(moduleOf(route.service), attempts(context, route))}
`;

/** The destination of a route's requests, and the certificate that the check or the rule has chosen. The destination is
 * a variable, which is set only after the check. If a request was not checked, the variable is empty and nginx sends the
 * request nowhere. Such a request is a subrequest of another location in the same server, because nginx does not check
 * subrequests. See {@link passMap}. For the ingress of the mesh, the TLS settings are in the location around all
 * routes. */
function connected(context: Context, route: RouteContext): readonly Directive[] {
  const identity = conf`
    auth_request_set $meshgate_cert ${chosen(route, 'cert')}; auth_request_set $meshgate_key ${chosen(route, 'key')};
  `;
  return conf`
    ${route.services.some(inMesh) && identity}
    auth_request_set $meshgate_pass ${chosen(route, 'pass')};
    ${moduleOf(route.service)}_pass $meshgate_to;
    ${route.service.protocol === 'http2' && conf`auth_request_set $meshgate_http2 1; proxy_http_version 2;`}
    ${!route.sharesTls && ownTls(route)}
    ${hasFailover(route) && failover(context, route)}
  `;
}

/** What a route keeps from the check's response about the caller, for the headers of its service. */
export const callerValues = (context: Context, route: RouteContext): readonly Directive[] => [
  included(context, 'answer.conf'),
  ...route.headers.flatMap((header) => identity(context, header)),
  ...(context.policy.gateway.assertion ? [fromAnswer(FROM_CHECK.assertion)] : []),
  ...(route.route.serviceCredential ? [fromAnswer(FROM_CHECK.serviceCredential)] : []),
];

/** What routes to a service share: kept values of the check's response, the destination and its settings. */
function target(context: Context, host: HostContext, route: RouteContext, callerFile: FileName): readonly Directive[] {
  const { policy } = context;
  const { name } = route.service;
  return conf`
    ${included(context, callerFile)}
    ${hasChoice(route) && conf`auth_request_set $meshgate_route_service ${name};`}
    ${hasSeveralMeshes(policy) && conf`auth_request_set $meshgate_mesh ${chosen(route, 'mesh')};`}
    ${hasSeveral(policy) && conf`auth_request_set $meshgate_ingress ${chosen(route, 'ingress')};`}
    auth_request_set $meshgate_service ${chosen(route, 'service')}; auth_request_set $meshgate_authority ${chosen(route, 'authority')};
    ${namesDestination(policy) && conf`auth_request_set $meshgate_destination ${chosen(route, 'destination')};`}
    ${connected(context, route)}
    ${moduleOf(route.service) === 'grpc' && grpcErrorPages}
    ${proxySettings(route.route.proxy, moduleOf(route.service))}
    ${corsDirectives(context, host, route)}
    ${passedHeaders(route.service)}
    ${restricted(context, route.service)}
  `;
}

/** The files that routes include. Most policies have one file for callers, and one for each service. */
export interface RouteFiles {
  readonly callers: Shelf<RouteContext>;
  readonly targets: Shelf<RouteContext>;
}

/** The name of a file for a service. It says whether nginx connects with one identity, with the identity that the check
 * names, or as the rule says. */
function targetName(route: RouteContext): `services/${string}` {
  const names = [...new Set(route.targets.map(({ identity }) => identity?.name))];
  const name = `services/${route.service.name}` as const;
  if (hasChoice(route)) return `${name}_by_rule`;
  if (names.length > 1) return `${name}_by_identity`;
  return names[0] === undefined || names[0] === 'default' ? name : `${name}_as_${names[0]}`;
}

export function routeFiles(context: Context): RouteFiles {
  const callers = new Shelf<RouteContext>();
  const targets = new Shelf<RouteContext>();
  for (const host of context.hosts) {
    for (const route of host.routes) {
      const names = route.services.map(({ name }) => name).join(', ');
      const kept = 'What nginx keeps from a response of the check for a route: identity headers.';
      callers.add(route, 'caller', callerValues(context, route), kept);
      const directives = target(context, host, route, callers.of(route));
      targets.add(route, targetName(route), directives, `How routes lead to ${names}.`);
    }
  }
  return { callers, targets };
}

interface Around {
  readonly host: HostContext;
  readonly door: RouteListener;
  /** The paths of the host's exact routes. */
  readonly exact: ReadonlySet<string>;
}

/** The locations of one route. A prefix has two locations: if there were only `^~ /x/`, nginx would answer `/x` with a
 * redirect and without a check. */
export function routeLocations(
  context: Context,
  { targets }: RouteFiles,
  { host, door: listener, exact }: Around,
  route: RouteContext,
): readonly Directive[] {
  const { check, cookie } = listener;
  const { path, kind, name } = route.route;
  const location = (operator: '=' | '^~', at: string) => conf`
    location ${context.options.inController ? pathsAt(operator, at) : [operator, at]} {
      ${refusesWorkersAt(host, route, at)}
      auth_request ${check}${name};
      auth_request_set $meshgate_route ${name};
      ${preflightRoute(route)}
      ${included(context, targets.of(route))}
      ${listedHostHeaders(host, route, cookie)}
    }
  `;
  if (kind === 'exact') return location('=', path);
  const below = location('^~', `${path}/`);
  return path === '' || exact.has(path) ? below : [...location('=', path), ...below];
}
