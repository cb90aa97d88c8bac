import { FROM_CHECK, TO_SERVICE } from '../../internal-headers.ts';
import type { Service } from '../../policy/types.ts';
import { usual } from './carry.ts';
import { namesDestination } from './connections.ts';
import { type Arg, block, commented, type Directive, type Given, line, literal, variable } from './directive.ts';
import type { Door } from './door.ts';
import { erasedNames, eraseFile } from './erase.ts';
import { grpcAround, type Module, moduleOf } from './grpc.ts';
import { clearedBeside, hiddenHeaders } from './hide.ts';
import { errorPages, errorPagesTo, routeLocations, tls } from './location.ts';
import { headerVariable } from './names.ts';
import { orPage, refuseAs } from './page.ts';
import { refusal } from './problem.ts';
import { nonceHeader } from './proof.ts';
import { listing, requestsConf, requestsFile } from './request-headers.ts';
import type { Scene, SceneHost } from './scene.ts';
import { refusedCookies, setCookieBeside } from './session.ts';

/** Nothing that an outer level switches on may answer in the service's place, or ask it unchecked. */
const closed: readonly Directive[] = [
  line('satisfy', 'all'),
  line('ssi', 'off'),
  line('mirror', 'off'),
  line('add_before_body', literal('')),
  line('add_after_body', literal('')),
  line('proxy_cache', 'off'),
  line('proxy_store', 'off'),
  line('proxy_intercept_errors', 'off'),
  line('proxy_redirect', 'off'),
  line('proxy_ignore_headers', 'X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'),
];

/** Refusals where people sign in; where a page cannot be had, a second error page says so. */
const sessionPages: readonly Directive[] = [...errorPagesTo(refuseAs), line('recursive_error_pages', 'on')];

/** Headers that every service receives, whoever asks; `Cookie` comes beside them where people sign in. */
export function fixedHeaders(scene: Scene, host: SceneHost): readonly (readonly [string, Given])[] {
  const { policy } = scene;
  const outside = host.host.name.startsWith('*') ? variable('host') : literal(host.host.name);
  return [
    ['Host', variable('meshgate_authority')],
    ['Upgrade', variable('meshgate_upgrade')],
    ['Connection', variable('meshgate_connection')],
    ['X-Real-IP', variable('remote_addr')],
    ['X-Forwarded-For', variable('remote_addr')],
    ['X-Forwarded-Proto', variable('scheme')],
    ['X-Forwarded-Host', outside],
    ['X-Forwarded-Port', variable('server_port')],
    ['X-Request-Id', variable('request_id')],
    ['traceparent', variable('meshgate_traceparent')],
    ['tracestate', variable('meshgate_tracestate')],
    [TO_SERVICE.route, variable('meshgate_route')],
    [TO_SERVICE.rule, variable('meshgate_rule')],
    [TO_SERVICE.identity, variable('meshgate_as')],
    [TO_SERVICE.erased, variable('meshgate_erased')],
    ...(namesDestination(policy) ? [['l5d-dst-override', variable('meshgate_destination')] as const] : []),
    ...(policy.gateway.assertion ? [[TO_SERVICE.assertion, variable('meshgate_assertion')] as const] : []),
  ];
}

/**
 * Headers that the gateway itself sends to a service.
 *
 * @param cookie the `Cookie` line; absent: the client's, or none
 */
function ownHeaders(scene: Scene, host: SceneHost, module: Module, cookie?: Arg): readonly Directive[] {
  // A call is no WebSocket: nginx sends neither of the two with one.
  const fixed = fixedHeaders(scene, host).filter(
    ([name]) => module === 'proxy' || !/^(Upgrade|Connection)$/.test(name),
  );
  const identity = scene.headerNames.map((name, i) => [name, variable(headerVariable(i))] as const);
  const taken = new Set(fixed.map(([name]) => name.toLowerCase()));
  const clash = identity.find(([name]) => taken.has(name.toLowerCase()));
  if (clash !== undefined) throw new Error(`nginx: the header ${clash[0]} is the gateway's own`);
  return [...fixed, ...(cookie ? [['Cookie', cookie] as const] : []), ...identity].map(([name, value], i) => {
    const set = line(`${module}_set_header`, literal(name), value);
    return i === 0 ? commented('What services receive; a route sets its own identity headers.', set) : set;
  });
}

/** Sends what is ours, and erases everything else that anybody might trust. */
function requestHeaders(scene: Scene, host: SceneHost, door: Door, module: Module): readonly Directive[] {
  const erased = line('include', literal(`${scene.options.dir}/${eraseFile(module)}`));
  return [...ownHeaders(scene, host, module, door.cookie), commented('What they trust from nobody else.', erased)];
}

/** A file of the headers that no service receives from a client. It is the same for all hosts of a policy. */
export function eraseConf(scene: Scene, module: Module): readonly Directive[] {
  const [host] = scene.hosts;
  const own = [...(host === undefined ? [] : fixedHeaders(scene, host).map(([name]) => name)), ...scene.headerNames];
  const taken = new Set(own.map((name) => name.toLowerCase()));
  return erasedNames(scene.headerNames)
    .filter((name) => !taken.has(name.toLowerCase()))
    .map((name) => line(`${module}_set_header`, literal(name), literal('')));
}

/** What services that list their request headers receive at one door of a host, by file. */
export function requestFiles(
  scene: Scene,
  host: SceneHost,
  door: Door,
): readonly (readonly [Service, string, readonly Directive[]])[] {
  return listing(host).map((service) => [
    service,
    requestsFile(service, host, door),
    requestsConf(service, ownHeaders(scene, host, 'proxy'), door.cookie),
  ]);
}

/** The modules that carry the requests of some hosts. */
export const modulesOf = (hosts: readonly Pick<SceneHost, 'routes'>[]): readonly Module[] =>
  hosts.some(({ routes }) => routes.some(({ service }) => moduleOf(service) === 'grpc'))
    ? ['proxy', 'grpc']
    : ['proxy'];

/** TLS to the mesh's ingress: one context for all routes that lead to it. */
function ingressTls({ ingress }: SceneHost, module: Module): readonly Directive[] {
  if (ingress === undefined) return [];
  const [first, ...rest] = tls(
    module,
    literal(ingress.serverName),
    ingress.caFile,
    variable('meshgate_cert'),
    variable('meshgate_key'),
  );
  return [commented("To the mesh's ingress.", first as Directive), ...rest];
}

/** Headers of ours in a service's answer; those of outer levels stay. */
function headersBeside(scene: Scene, host: SceneHost, door: Door): readonly Directive[] {
  const headers = [
    ...(host.sessions ? setCookieBeside : []),
    ...clearedBeside(scene),
    ...(door.answers.includes(FROM_CHECK.dpopNonce) ? nonceHeader(scene) : []),
  ];
  return headers.length === 0 ? [] : [...headers, line('add_header_inherit', 'merge')];
}

/**
 * One location around all routes of a host, so that they share what each of them needs: it drops what outer levels
 * say, and no route has a `proxy_set_header` of its own, which would drop the list. Written into each location, the
 * list costs nginx some 125 KB of memory a location, and as much cache.
 */
export function around(scene: Scene, host: SceneHost, door: Door): Directive {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  return block(
    'location',
    ['^~', '/'],
    [
      ...(host.sessions ? sessionPages : errorPages),
      ...closed,
      ...headersBeside(scene, host, door),
      ...(host.sessions ? [refusedCookies] : []),
      ...usual,
      // A large answer waits in the service for a slow reader, not in a file: the image's are in memory.
      line('proxy_max_temp_file_size', '0'),
      line('proxy_http_version', '1.1'),
      line('proxy_next_upstream', 'error'),
      line('proxy_next_upstream_tries', '1'),
      line('proxy_headers_hash_max_size', '4096'),
      line('proxy_headers_hash_bucket_size', scene.headerNames.some((name) => name.length > 90) ? '256' : '128'),
      ...modulesOf([host]).flatMap((module) => [
        ...(module === 'grpc' ? grpcAround : []),
        ...hiddenHeaders(scene, host, module),
        ...requestHeaders(scene, host, door, module),
        ...ingressTls(host, module),
      ]),
      ...host.routes.flatMap((route) =>
        routeLocations(scene, host, door, route, exact).map((location, i) =>
          i === 0
            ? commented(`${route.route.name} → ${route.services.map(({ name }) => name).join(', ')}`, location)
            : location,
        ),
      ),
      ...(all
        ? []
        : [
            commented(
              'No route of the policy covers the rest.',
              block('location', ['^~', '/'], [...orPage(host, 'route_unknown'), ...refusal('route_unknown')]),
            ),
          ]),
    ],
  );
}
