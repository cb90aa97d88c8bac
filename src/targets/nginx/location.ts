import { FROM_CHECK } from '../../internal-headers.ts';
import { hasSeveral } from '../../policy/ingress.ts';
import type { Service } from '../../policy/types.ts';
import { alwaysField, isLong } from '../../rules/carrier.ts';
import { answerRule } from './answer.ts';
import { carried } from './carry.ts';
import { chosen, hasChoice, namesDestination } from './connections.ts';
import { corsOf, preflightRoute } from './cors.ts';
import { type Arg, block, type Directive, key, line, literal, map, row, variable } from './directive.ts';
import type { Door } from './door.ts';
import { type ConfFile, type FileName, included, Shelf } from './files.ts';
import { grpcErrorPages } from './grpc.ts';
import { identityVariable } from './headers.ts';
import { type Module, moduleOf, shown, tls, verified } from './module.ts';
import { answerHeader, headerVariable, keptAs, keptField } from './names.ts';
import { givesNonces } from './proof.ts';
import { listedHostHeaders, restricted } from './request-headers.ts';
import type { Scene, SceneHost, SceneRoute } from './scene.ts';
import { hasSessions } from './session.ts';
import { refusesWorkersAt } from './worker.ts';

/** The headers of the check's response about a refusal. Both listeners use them. */
const ANSWERS: readonly string[] = [FROM_CHECK.status, FROM_CHECK.reason, FROM_CHECK.detail, FROM_CHECK.retryAfter];

function fromAnswer(header: string): Directive {
  return line('auth_request_set', variable(keptAs(header)), answerHeader(header));
}

/** Keeps the value of an identity header, unless the variable of another field has it already. */
function identity(scene: Scene, { index, source }: SceneRoute['headers'][number]): readonly Directive[] {
  const own = headerVariable(index);
  if (identityVariable(scene, index) !== own) return [];
  const field = alwaysField(source);
  if (field !== undefined) return [line('auth_request_set', variable(own), variable(keptField(field)))];
  if (!isLong(source)) return [];
  return [line('auth_request_set', variable(own), answerHeader(`${FROM_CHECK.identity}${index}`))];
}

/** The file with the variables that keep values of the check's response, for every host. If the response lacks a
 * header, its variable is empty. */
export function answerFile(scene: Scene): ConfFile {
  const headers = [
    ...ANSWERS,
    ...(hasSessions(scene) ? [FROM_CHECK.setCookie, FROM_CHECK.signin] : []),
    ...(givesNonces(scene) ? [FROM_CHECK.dpopNonce] : []),
  ];
  const rule = line('auth_request_set', variable(keptField('rule')), answerRule);
  return ['answer.conf', [rule, ...headers.map(fromAnswer)], 'What nginx keeps of every answer of the check.'];
}

/** Sends the request to a destination in a variable, which is set only after the check. If a request was not checked,
 * the variable is empty and nginx sends the request nowhere. Such a request is a subrequest of another location in the
 * same server, because nginx does not check subrequests. See {@link passMap}. */
function passTo(module: Module, upstream: Arg): readonly Directive[] {
  return [
    line('auth_request_set', variable('meshgate_pass'), upstream),
    line(`${module}_pass`, variable('meshgate_to')),
  ];
}

/** The map that empties the destination if the check's response names no rule. Another response with a 2xx status leads
 * to no service. An example is a `return 200` at the server level, which nginx also runs for the check's subrequest. */
export const passMap: Directive = map(variable('meshgate_rule'), 'meshgate_to', [
  [key(''), literal('')],
  ['default', variable('meshgate_pass')],
]);

/** Whether a route's service uses HTTP/2 without gRPC. */
export const speaksHttp2 = ({ hosts }: Pick<Scene, 'hosts'>): boolean =>
  hosts.some(({ routes }) => routes.some(({ service }) => service.protocol === 'http2'));

const inMesh = ({ direct }: Service): boolean => direct === undefined;

/** The certificate that the check or the rule has chosen. */
function identityFiles(route: SceneRoute): readonly Directive[] {
  return row([
    line('auth_request_set', variable('meshgate_cert'), chosen(route, 'cert')),
    line('auth_request_set', variable('meshgate_key'), chosen(route, 'key')),
  ]);
}

/** The TLS settings of a location that does not lead only to the ingress of the mesh. All services of a location have
 * the same CA. */
function ownTls(route: SceneRoute): readonly Directive[] {
  const ca = route.targets.find((target) => target.tls !== undefined)?.tls?.ca;
  if (ca === undefined) return [];
  const module = moduleOf(route.service);
  const mesh = route.services.some(inMesh);
  return [
    ...tls(module),
    ...verified(module, chosen(route, 'name'), ca),
    ...(mesh
      ? shown(module, variable('meshgate_cert'), variable('meshgate_key'))
      : shown(module, literal(''), literal(''))),
  ];
}

/** The destination of a route's requests. For the ingress of the mesh, the TLS settings are in the location around all
 * routes. */
function connected(route: SceneRoute): readonly Directive[] {
  const { service } = route;
  return [
    ...(route.services.some(inMesh) ? identityFiles(route) : []),
    ...passTo(moduleOf(service), chosen(route, 'pass')),
    ...(service.protocol === 'http2' ? row('auth_request_set $meshgate_http2 1; proxy_http_version 2') : []),
    ...(route.sharesTls ? [] : ownTls(route)),
  ];
}

/** The headers about the caller that a route sends to its service. */
const caller = (scene: Scene, route: SceneRoute): readonly Directive[] => [
  included(scene, 'answer.conf'),
  ...route.headers.flatMap((header) => identity(scene, header)),
  ...(scene.policy.gateway.assertion ? [fromAnswer(FROM_CHECK.assertion)] : []),
];

/** The directives that routes to a service share: which values of the check's response nginx keeps, where it sends the
 * requests, and with which settings. */
const target = (scene: Scene, host: SceneHost, route: SceneRoute, callerFile: FileName): readonly Directive[] => [
  included(scene, callerFile),
  ...(hasChoice(route)
    ? [line('auth_request_set', variable('meshgate_route_service'), literal(route.service.name))]
    : []),
  ...(hasSeveral(scene.policy)
    ? [line('auth_request_set', variable('meshgate_ingress'), chosen(route, 'ingress'))]
    : []),
  ...row([
    line('auth_request_set', variable('meshgate_service'), chosen(route, 'service')),
    line('auth_request_set', variable('meshgate_authority'), chosen(route, 'authority')),
  ]),
  ...(namesDestination(scene.policy)
    ? [line('auth_request_set', variable('meshgate_destination'), chosen(route, 'destination'))]
    : []),
  ...connected(route),
  ...(moduleOf(route.service) === 'grpc' ? grpcErrorPages : []),
  ...carried(route.route.proxy, moduleOf(route.service)),
  ...corsOf(scene, host, route),
  ...restricted(scene, route.service),
];

/** The files that routes include. Files with equal content are one file. So most policies have one file for callers,
 * and one for each service. */
export interface RouteFiles {
  readonly callers: Shelf<SceneRoute>;
  readonly targets: Shelf<SceneRoute>;
}

/** The name of a file for a service. It depends on how nginx connects: with one identity, or with the identity that the
 * check or the rule determines. */
function targetName(route: SceneRoute): `services/${string}` {
  const names = [...new Set(route.targets.map(({ identity }) => identity?.name))];
  const name = `services/${route.service.name}` as const;
  if (hasChoice(route)) return `${name}_by_rule`;
  if (names.length > 1) return `${name}_by_identity`;
  return names[0] === undefined || names[0] === 'default' ? name : `${name}_as_${names[0]}`;
}

export function routeFiles(scene: Scene): RouteFiles {
  const callers = new Shelf<SceneRoute>();
  const targets = new Shelf<SceneRoute>();
  for (const host of scene.hosts) {
    for (const route of host.routes) {
      const names = route.services.map(({ name }) => name).join(', ');
      callers.add(
        route,
        'caller',
        caller(scene, route),
        'What nginx keeps of an answer of the check for a route: identity headers.',
      );
      targets.add(
        route,
        targetName(route),
        target(scene, host, route, callers.of(route)),
        `How routes lead to ${names}.`,
      );
    }
  }
  return { callers, targets };
}

function location(
  scene: Scene,
  { targets }: RouteFiles,
  host: SceneHost,
  { check, cookie }: Door,
  route: SceneRoute,
  operator: '=' | '^~',
  path: string,
): Directive {
  const { name } = route.route;
  return block(
    'location',
    [operator, literal(path)],
    [
      ...refusesWorkersAt(host, route, path),
      line('auth_request', literal(check + name)),
      line('auth_request_set', variable('meshgate_route'), literal(name)),
      ...preflightRoute(route),
      included(scene, targets.of(route)),
      ...listedHostHeaders(host, route.service, cookie),
    ],
  );
}

/**
 * The locations of one route. A prefix has two locations: if there were only `^~ /x/`, nginx would answer `/x` with a
 * redirect and without a check.
 *
 * @param exact the paths of the host's exact routes
 */
export function routeLocations(
  scene: Scene,
  files: RouteFiles,
  host: SceneHost,
  door: Door,
  route: SceneRoute,
  exact: ReadonlySet<string>,
): readonly Directive[] {
  const { path, kind } = route.route;
  if (kind === 'exact') return [location(scene, files, host, door, route, '=', path)];
  const below = location(scene, files, host, door, route, '^~', `${path}/`);
  return path === '' || exact.has(path) ? [below] : [location(scene, files, host, door, route, '=', path), below];
}
