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

/** Headers of the check's answer about a refusal, at both listeners. */
const ANSWERS: readonly string[] = [FROM_CHECK.status, FROM_CHECK.reason, FROM_CHECK.detail, FROM_CHECK.retryAfter];

function fromAnswer(header: string): Directive {
  return line('auth_request_set', variable(keptAs(header)), answerHeader(header));
}

/** The value of an identity header, if it is not among the fields of every answer. */
function identity(scene: Scene, { index, source }: SceneRoute['headers'][number]): readonly Directive[] {
  const own = headerVariable(index);
  if (identityVariable(scene, index) !== own) return [];
  const field = alwaysField(source);
  if (field !== undefined) return [line('auth_request_set', variable(own), variable(keptField(field)))];
  if (!isLong(source)) return [];
  return [line('auth_request_set', variable(own), answerHeader(`${FROM_CHECK.identity}${index}`))];
}

/** The variables that keep values of the check's answer, for every host; empty if the answer lacks the header. */
export function answerFile(scene: Scene): ConfFile {
  const headers = [
    ...ANSWERS,
    ...(hasSessions(scene) ? [FROM_CHECK.setCookie, FROM_CHECK.signin] : []),
    ...(givesNonces(scene) ? [FROM_CHECK.dpopNonce] : []),
  ];
  const rule = line('auth_request_set', variable(keptField('rule')), answerRule);
  return ['answer.conf', [rule, ...headers.map(fromAnswer)], 'What nginx keeps of every answer of the check.'];
}

/** The destination as a variable that the check sets. A request that was not checked (a subrequest of another location
 * of the same server, which nginx does not check) finds it empty and goes nowhere. See {@link passMap}. */
function passTo(module: Module, upstream: Arg): readonly Directive[] {
  return [
    line('auth_request_set', variable('meshgate_pass'), upstream),
    line(`${module}_pass`, variable('meshgate_to')),
  ];
}

/** Only an answer of the check itself names a rule. Another 2xx, such as a `return 200` at server level, which nginx
 * runs for the check's own request as well, leads nowhere. */
export const passMap: Directive = map(variable('meshgate_rule'), 'meshgate_to', [
  [key(''), literal('')],
  ['default', variable('meshgate_pass')],
]);

/** Whether a route's service uses HTTP/2 without gRPC. */
export const speaksHttp2 = ({ hosts }: Pick<Scene, 'hosts'>): boolean =>
  hosts.some(({ routes }) => routes.some(({ service }) => service.protocol === 'http2'));

const inMesh = ({ direct }: Service): boolean => direct === undefined;

/** The certificate that the check or the rule chose. */
function identityFiles(route: SceneRoute): readonly Directive[] {
  return row([
    line('auth_request_set', variable('meshgate_cert'), chosen(route, 'cert')),
    line('auth_request_set', variable('meshgate_key'), chosen(route, 'key')),
  ]);
}

/** TLS for a location that leads not only to the mesh's ingress. All services of one location have one CA. */
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

/** The destination of a route's requests. TLS to the mesh's ingress is configured around all routes. */
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

/** What routes to a service have in common: what is kept of the check's answer, where they lead, and how. */
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

/** The files that routes include. Equal ones are one file, so most policies have one for callers, and one for each
 * service. */
export interface RouteFiles {
  readonly callers: Shelf<SceneRoute>;
  readonly targets: Shelf<SceneRoute>;
}

/** Names a file by how the service is reached: with one identity, or with one that the check or the rule determines. */
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

/** The locations of one route. A prefix has two: beside only `^~ /x/`, nginx answers `/x` with a redirect, unchecked.
 *
 * @param exact paths of the host's exact routes
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
