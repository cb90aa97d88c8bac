import type { Service } from '../../policy/types.ts';
import { block, type Directive, type Given, line, literal, type Part, variable } from './directive.ts';
import { erasedNames } from './erase.ts';
import { type Connection, ingressConnection } from './identities.ts';
import { answerHeader, BAD_PATH, CHECK_PATH, directUpstream, headerVariable, text } from './names.ts';
import type { Scene, SceneHost, SceneRoute } from './scene.ts';

/** What the check says of a refusal, and of the caller. */
const ANSWERS = ['Status', 'Reason', 'Detail', 'Retry-After', 'Rule', 'As', 'User', 'Provider', 'Roles'] as const;

function fromAnswer(name: string): Directive {
  const header = `X-Meshgate-${name}`;
  return line(
    'auth_request_set',
    variable(`meshgate_${name.toLowerCase().replaceAll('-', '_')}`),
    answerHeader(header),
  );
}

/** `auth_request` and what is kept of its answer. */
export function checked(route: string): readonly Directive[] {
  return [line('auth_request', literal(CHECK_PATH + route)), ...ANSWERS.map(fromAnswer)];
}

/** Our refusals; a location with an `error_page` of its own inherits none, so each has all. */
export const errorPages: readonly Directive[] = [
  line('error_page', '401', '=', '@meshgate_refuse'),
  line('error_page', '500', '=', '@meshgate_down'),
  line('error_page', '400', '494', '=', BAD_PATH),
];

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

/** Headers that every service receives, whoever asks. */
function fixedHeaders(host: SceneHost, service: Service): readonly (readonly [string, Given])[] {
  const outside = host.host.name.startsWith('*') ? variable('host') : text(host.host.name);
  return [
    ['Host', text(service.authority)],
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
    ['X-Meshgate-Route', variable('meshgate_route')],
    ['X-Meshgate-Rule', variable('meshgate_rule')],
    ['X-Meshgate-Identity', variable('meshgate_as')],
    ['X-Meshgate-Erased', variable('meshgate_erased')],
  ];
}

/** Sets what this route sends and erases everything else that anybody might trust. */
function requestHeaders(scene: Scene, host: SceneHost, { route, service, headers }: SceneRoute): readonly Directive[] {
  const fixed = fixedHeaders(host, service);
  const taken = new Set(fixed.map(([name]) => name.toLowerCase()));
  const identity = headers.map((i): readonly [string, Part] => [
    scene.headerNames[i] as string,
    variable(headerVariable(i)),
  ]);
  const clash = identity.find(([name]) => taken.has(name.toLowerCase()));
  if (clash !== undefined) throw new Error(`nginx: ${route.name} sets ${clash[0]}, which is the gateway's own`);
  for (const [name] of identity) taken.add(name.toLowerCase());
  const answers = scene.headerNames.map((_, i) => `X-Meshgate-H${i}`);
  return [
    ...[...fixed, ...identity].map(([name, value]) => line('proxy_set_header', literal(name), value)),
    ...erasedNames(scene.headerNames, answers)
      .filter((name) => !taken.has(name.toLowerCase()))
      .map((name) => line('proxy_set_header', literal(name), literal(''))),
  ];
}

/** TLS to the other side; a session must not be resumed, or it keeps the identity that it began with. */
function tls(name: string, ca: string, connection?: Connection): readonly Directive[] {
  return [
    line('proxy_ssl_verify', 'on'),
    line('proxy_ssl_verify_depth', '5'),
    line('proxy_ssl_trusted_certificate', literal(ca)),
    line('proxy_ssl_server_name', 'on'),
    line('proxy_ssl_name', text(name)),
    line('proxy_ssl_session_reuse', 'off'),
    line('proxy_ssl_certificate', connection?.cert ?? literal('')),
    line('proxy_ssl_certificate_key', connection?.key ?? literal('')),
  ];
}

function passes(scene: Scene, route: SceneRoute): readonly Directive[] {
  const { direct, name } = route.service;
  if (direct !== undefined) {
    const scheme = direct.tls ? 'https' : 'http';
    const pass = line('proxy_pass', literal(`${scheme}://${directUpstream(name)}`));
    return direct.tls ? [pass, ...tls(direct.serverName, direct.caFile ?? scene.options.systemCa)] : [pass];
  }
  const ingress = scene.policy.mesh?.ingress;
  if (ingress === undefined) throw new Error(`nginx: service ${name} needs a mesh, and the policy has none`);
  const connection = ingressConnection(scene, route);
  return [line('proxy_pass', connection.pass), ...tls(ingress.serverName, ingress.caFile, connection)];
}

function location(scene: Scene, host: SceneHost, route: SceneRoute, match: readonly Given[]): Directive {
  return block('location', match, [
    ...checked(route.route.name),
    line('auth_request_set', variable('meshgate_route'), text(route.route.name)),
    line('auth_request_set', variable('meshgate_service'), text(route.service.name)),
    ...route.headers.map((i) =>
      line('auth_request_set', variable(headerVariable(i)), answerHeader(`X-Meshgate-H${i}`)),
    ),
    ...errorPages,
    ...closed,
    line('client_max_body_size', '100m'),
    line('proxy_http_version', '1.1'),
    line('proxy_next_upstream', 'error'),
    line('proxy_next_upstream_tries', '1'),
    ...requestHeaders(scene, host, route),
    ...passes(scene, route),
  ]);
}

/**
 * The locations of one route. A prefix has two: nginx answers `/x` beside `^~ /x/` with a redirect, unchecked.
 *
 * @param exact paths that exact routes of the host take
 */
export function routeLocations(
  scene: Scene,
  host: SceneHost,
  route: SceneRoute,
  exact: ReadonlySet<string>,
): readonly Directive[] {
  const { path, kind } = route.route;
  if (kind === 'exact') return [location(scene, host, route, ['=', literal(path)])];
  const below = location(scene, host, route, ['^~', literal(`${path}/`)]);
  return path === '' || exact.has(path) ? [below] : [location(scene, host, route, ['=', literal(path)]), below];
}
