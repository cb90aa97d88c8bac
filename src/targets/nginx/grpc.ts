import type { Service } from '../../policy/types.ts';
import { type Directive, key, line, literal, map, type Part, regex, template, variable } from './directive.ts';
import { BAD_LOCATION, LARGE_LOCATION } from './names.ts';
import type { SceneHost } from './scene.ts';

/** The nginx module that proxies a route's requests. Each has its own directives and ignores the other's. */
export type Module = 'proxy' | 'grpc';

export const moduleOf = ({ protocol }: Service): Module => (protocol === 'grpc' ? 'grpc' : 'proxy');

/** The modules that proxy the requests of some hosts. */
export const modulesOf = (hosts: readonly Pick<SceneHost, 'routes'>[]): readonly Module[] =>
  hosts.some(({ routes }) => routes.some(({ service }) => moduleOf(service) === 'grpc'))
    ? ['proxy', 'grpc']
    : ['proxy'];

/** The location of refusals for gRPC calls, which have their own status (gRPC's HTTP/2 mapping, "Trailers-Only"). */
const REFUSE = '@meshgate_refuse_grpc';
const DOWN = '@meshgate_down_grpc';

/** gRPC's status for each status of the check, as clients map those of HTTP. */
export const grpcMaps: readonly Directive[] = [
  map(variable('http_content_type'), 'meshgate_refuse_to', [
    ['default', '@meshgate_refuse'],
    [regex('~*', '^application/grpc([+;]|$)'), REFUSE],
  ]),
  map(variable('meshgate_refuse_to'), 'meshgate_down_to', [
    ['default', '@meshgate_down'],
    [key(REFUSE), DOWN],
  ]),
  map(variable('meshgate_status'), 'meshgate_grpc_status', [
    ['default', '16'],
    [key('400'), '13'],
    [key('403'), '7'],
    [key('404'), '12'],
    [key('429'), '14'],
    [key('503'), '14'],
  ]),
];

/** Sends refused calls to their location; other requests on the same route are refused as usual. */
export const grpcErrorPages: readonly Directive[] = [
  line('error_page', '401', '=', variable('meshgate_refuse_to')),
  line('error_page', '500', '=', variable('meshgate_down_to')),
  line('error_page', '400', '=', BAD_LOCATION),
  line('error_page', '494', '=', LARGE_LOCATION),
];

function refused(name: string, status: string | Part, reason: string | Part): Directive {
  const message = template(reason, ' (request ', variable('request_id'), ')');
  return {
    ...line('location', name),
    block: [
      line('default_type', 'application/grpc'),
      line('add_header', 'grpc-status', status, 'always'),
      line('add_header', 'grpc-message', message, 'always'),
      line('add_header', 'Cache-Control', 'no-store', 'always'),
      line('return', '200', literal('')),
    ],
  };
}

/** The locations of refusals for calls. */
export const grpcRefusals: readonly Directive[] = [
  refused(REFUSE, variable('meshgate_grpc_status'), variable('meshgate_reason')),
  refused(DOWN, '14', 'check_unavailable'),
];

/** The module's own directives around all routes, equal to those of the other module. */
export const grpcAround: readonly Directive[] = [
  line('grpc_intercept_errors', 'off'),
  line('grpc_ignore_headers', 'X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'),
  line('grpc_next_upstream', 'error'),
  line('grpc_next_upstream_tries', '1'),
];
