import { type Directive, fixed, key, line, map, type Part, regex, row, template, variable } from './directive.ts';
import { ignoresAccel, onceMore } from './module.ts';
import { BAD_LOCATION, LARGE_LOCATION } from './names.ts';

/** The location that refuses gRPC calls. Such a refusal has a gRPC status (gRPC's HTTP/2 mapping, "Trailers-Only"). */
const REFUSE = '@meshgate_refuse_grpc';
const DOWN = '@meshgate_down_grpc';

/** The gRPC status for each HTTP status of the check, by the rules that clients use for HTTP statuses. */
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

/** Sends refused calls to that location. Other requests on the same route get the usual refusal. */
export const grpcErrorPages: readonly Directive[] = [
  ...row(
    'error_page 401 = $meshgate_refuse_to; error_page 500 = $meshgate_down_to',
    'clients of gRPC read a gRPC status',
  ),
  ...row(`error_page 400 = ${BAD_LOCATION}; error_page 494 = ${LARGE_LOCATION}`),
];

function refused(name: string, status: string | Part, reason: string | Part): Directive {
  const message = template(reason, ' (request ', variable('request_id'), ')');
  return {
    ...line('location', name),
    block: [
      line('default_type', 'application/grpc'),
      line('add_header', 'grpc-status', status, 'always'),
      line('add_header', 'grpc-message', message, 'always'),
      ...fixed('add_header Cache-Control no-store always; return 200 ""'),
    ],
  };
}

/** The locations that refuse calls. */
export const grpcRefusals: readonly Directive[] = [
  refused(REFUSE, variable('meshgate_grpc_status'), variable('meshgate_reason')),
  refused(DOWN, '14', 'check_unavailable'),
];

/** The directives of the gRPC module around all routes. They correspond to those of the proxy module. */
export const grpcAround: readonly Directive[] = [
  ...row('grpc_intercept_errors off', 'errors of the service pass unchanged'),
  ...ignoresAccel('grpc'),
  ...onceMore('grpc'),
];
