import { FROM_CHECK, TO_CHECK } from '../../internal-headers.ts';
import { MAX_COOKIE_BYTES } from '../../limits.ts';
import type { Inner } from '../../policy/types.ts';
import { around, requestFiles } from './around.ts';
import { readsAddresses, withBudgets } from './budgets.ts';
import { corsOfRefusals } from './cors.ts';
import { block, commented, type Directive, line, literal, regex, template, variable } from './directive.ts';
import { type Door, innerDoor, outerDoor } from './door.ts';
import { endpoints } from './endpoints.ts';
import { moduleOf } from './grpc.ts';
import { strictTransport } from './hide.ts';
import { checked, errorPages } from './location.ts';
import { metadataLocations } from './metadata.ts';
import { CHECK_PATH, CHECK_UPSTREAM, HOST_LOCATION, hostFile, innerFile, JWKS_PATH, REFUSED_PATH } from './names.ts';
import { withOrigins } from './origin.ts';
import { orPage, pageLocations, vary } from './page.ts';
import { certificateLocation, hostLocation, inside, refusal, refusalLocations } from './problem.ts';
import { nonceHeader, withProofs } from './proof.ts';
import { rotationTimes } from './rotation.ts';
import type { Scene, SceneHost } from './scene.ts';
import { setCookie, withoutSessions, withSessions } from './session.ts';
import { oftenLocation } from './signin-limit.ts';
import { refusesWorkers, workerLocation } from './worker.ts';

/** No connection comes from this address. nginx has no word for trusting none, and would take over what is around it. */
const NO_PROXY = '0.0.0.0/32';

/** Whose forwarded addresses are believed; none's, whatever the http level says, where a forged one would count. */
export function trustedProxies(scene: Scene): readonly Directive[] {
  const { trustedProxies } = scene.policy.gateway;
  if (trustedProxies.length === 0) {
    if (!readsAddresses(scene)) return [];
    return [commented('The address is the connection’s: no header says another.', line('set_real_ip_from', NO_PROXY))];
  }
  return [
    ...trustedProxies.map((range) => line('set_real_ip_from', literal(range))),
    line('real_ip_header', 'X-Forwarded-For'),
    line('real_ip_recursive', 'on'),
  ];
}

/** How the lines of a request are read. For HTTP/1.1 the socket's default server decides until Host is known. */
export const reading: readonly Directive[] = [
  line('underscores_in_headers', 'off'),
  line('ignore_invalid_headers', 'on'),
  line('large_client_header_buffers', '4', '32k'),
  // A request in flight keeps what it allocates; smaller steps leave less of them empty.
  line('request_pool_size', '1k'),
];

const isWildcard = ({ host }: SceneHost): boolean => host.name.startsWith('*');

const takesCalls = ({ routes }: SceneHost): boolean => routes.some(({ service }) => moduleOf(service) === 'grpc');

function serverLevel(scene: Scene, host: SceneHost, door: Door): readonly Directive[] {
  const [closed, ...more] = checked(door, '-');
  return [
    ...door.server,
    commented('Locations that others add are closed: this check refuses.', closed as Directive),
    ...more,
    line('satisfy', 'all'),
    ...errorPages,
    ...reading,
    ...strictTransport(scene),
    line('absolute_redirect', 'off'),
    line('access_log', literal(scene.options.accessLog), 'meshgate'),
    ...trustedProxies(scene),
    ...(scene.identities.length > 0
      ? (takesCalls(host) ? (['proxy', 'grpc'] as const) : (['proxy'] as const)).map((module) =>
          line(
            `${module}_ssl_certificate_cache`,
            `max=${Math.max(16, 4 * scene.identities.length)}`,
            `valid=${rotationTimes(scene).cache}s`,
            'inactive=60s',
          ),
        )
      : []),
    ...(isWildcard(host)
      ? [
          commented(
            'The client chooses the name below a wildcard, and it stands in URLs of ours.',
            block(
              'if',
              [template('(', variable('meshgate_odd_host'), ')')],
              [line('rewrite', regex('', '^'), literal(`${HOST_LOCATION}?`), 'last')],
            ),
          ),
        ]
      : []),
    commented(
      'A raw path that could mean another one behind us, or read as one of ours.',
      block(
        'if',
        [template('(', variable('meshgate_odd'), ')')],
        [line('rewrite', regex('', '^'), template(REFUSED_PATH, variable('meshgate_odd'), '?'), 'last')],
      ),
    ),
    ...refusesWorkers(host),
  ];
}

/** A request to the check's server tells nothing of the client's that is not said. */
const bare: readonly Directive[] = [
  line('proxy_http_version', '1.1'),
  line('proxy_method', 'GET'),
  line('proxy_pass_request_headers', 'off'),
  line('proxy_pass_request_body', 'off'),
  line('proxy_set_header', 'Host', 'meshgate'),
  line('proxy_set_header', 'Connection', literal('')),
  line('proxy_set_header', 'Content-Length', literal('')),
];

/** The hop to the check: it carries what the check reads, and has room for what passes the outer server. */
const hop = (size: number, { check, credentials }: Door): Directive =>
  block(
    'location',
    ['^~', literal(check)],
    [
      ...inside,
      line('auth_request', 'off'),
      line('proxy_pass', literal(`http://${CHECK_UPSTREAM}`)),
      ...bare,
      ...credentials,
      line('proxy_set_header', TO_CHECK.method, variable('request_method')),
      line('client_max_body_size', '0'),
      line('proxy_buffering', 'on'),
      line('proxy_buffer_size', `${size >> 10}k`),
      line('proxy_buffers', '4', '32k'),
      // By itself it is twice the first buffer, which may be more than nginx takes beside three others.
      ...(size > 48 * 1024 ? [line('proxy_busy_buffers_size', `${size >> 10}k`)] : []),
      line('proxy_connect_timeout', '3s'),
      line('proxy_send_timeout', '3s'),
      line('proxy_read_timeout', '10s'),
      line('proxy_next_upstream', 'error'),
      line('proxy_next_upstream_tries', '1'),
      line('proxy_cache', 'off'),
      line('proxy_store', 'off'),
      line('proxy_intercept_errors', 'off'),
      line('proxy_ignore_headers', 'X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'),
    ],
  );

/** The gateway's public keys, for whoever verifies its assertions: open to all. */
const jwks: Directive = block(
  'location',
  ['=', literal(JWKS_PATH)],
  [
    line('auth_request', 'off'),
    line('error_page', '404', '=', '@meshgate_unknown'),
    line('error_page', '500', '502', '503', '504', '=', '@meshgate_down'),
    block('if', [template('(', variable('request_method')), '!~', regex('', '^(GET|HEAD)$)')], [line('return', '404')]),
    line('proxy_pass', literal(`http://${CHECK_UPSTREAM}${JWKS_PATH}`)),
    ...bare,
    line('proxy_connect_timeout', '3s'),
    line('proxy_send_timeout', '3s'),
    line('proxy_read_timeout', '10s'),
    line('proxy_max_temp_file_size', '0'),
    line('proxy_cache', 'off'),
    line('proxy_store', 'off'),
    line('proxy_intercept_errors', 'on'),
  ],
);

/** Room for an answer of the check, with a cookie where it may set one. */
function answerBuffer(scene: Scene, { answers }: Door): number {
  return scene.answerSize + (answers.includes(FROM_CHECK.setCookie) ? MAX_COOKIE_BYTES : 0);
}

/** All that is not below `/.meshgate/`. */
function routes(scene: Scene, host: SceneHost, door: Door): Directive {
  if (host.routes.length > 0) return commented('All routes; what they share is said once.', around(scene, host, door));
  return block('location', ['^~', '/'], [...orPage(host, 'route_unknown'), ...refusal('route_unknown')]);
}

/** At the inner listener nobody shows proofs. */
const nonceOf = (scene: Scene, { answers }: Door): readonly Directive[] =>
  answers.includes(FROM_CHECK.dpopNonce) ? nonceHeader(scene) : [];

function doorConf(scene: Scene, host: SceneHost, door: Door): readonly Directive[] {
  return [
    ...serverLevel(scene, host, door),
    commented('The one way to the check; a client cannot ask for it.', hop(answerBuffer(scene, door), door)),
    ...refusalLocations(
      [...corsOfRefusals(scene), ...(host.sessions ? [vary, setCookie] : []), ...nonceOf(scene, door)],
      takesCalls(host),
      (reason) => orPage(host, reason),
    ),
    ...(isWildcard(host) ? [hostLocation] : []),
    ...(host.sessions ? [oftenLocation(host)] : []),
    ...workerLocation(host),
    ...(door.server.length > 0 ? [certificateLocation(host.host.name)] : []),
    ...(scene.policy.gateway.assertion ? [commented('The keys of the signed assertion.', jwks)] : []),
    ...(door.check === CHECK_PATH ? metadataLocations(host) : []),
    ...pageLocations(scene, host),
    host.sessions ? endpoints(scene, host) : block('location', ['^~', '/.meshgate/'], refusal('route_unknown')),
    routes(scene, host, door),
  ];
}

/** A file of a host, with what its first line says. */
export type HostFile = readonly [name: string, directives: readonly Directive[], what: string];

/** The file for the `server {}` of a host, and those that it includes for some of its services. */
function filesOf(scene: Scene, host: SceneHost, door: Door, [file, where]: readonly [string, string]): HostFile[] {
  const { name } = host.host;
  return [
    [file, doorConf(scene, host, door), `For the server {} of ${name}${where}.`],
    ...requestFiles(scene, host, door).map(
      ([service, path, directives]): HostFile => [
        path,
        directives,
        `Headers that ${service.name} receives at ${name}${where}.`,
      ],
    ),
  ];
}

/** The files of one host. */
export function hostFiles(scene: Scene, host: SceneHost): readonly HostFile[] {
  const door = withOrigins(scene, host, withSessions(scene, host, outerDoor(scene, host)));
  return filesOf(scene, host, withProofs(scene, withBudgets(scene, host, door)), [hostFile(host.host.name), '']);
}

/** The files of one host at the inner listener: nobody signs in there. */
export function innerFiles(scene: Scene, host: SceneHost, inner: Inner): readonly HostFile[] {
  const door = withoutSessions(scene, innerDoor(inner, host));
  return filesOf(scene, { ...host, sessions: false }, door, [innerFile(host.host.name), ', where services ask']);
}
