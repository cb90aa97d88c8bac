import { otherErrors } from '../server/strangers.ts';
import { conf, type Directive, type ValuePart, variable } from '../text/directive.ts';
import { BAD_LOCATION, LARGE_LOCATION } from '../text/names.ts';
import { ignoresAccel, onceMore } from './module.ts';

/** The gRPC status for each HTTP status of the check, by the rules that clients use for HTTP statuses. */
export const grpcMaps = conf`
  map $http_content_type $meshgate_refuse_to {
    default @meshgate_refuse;
    "~*^application/grpc([+;]|$)" @meshgate_refuse_grpc;
  }
  map $meshgate_refuse_to $meshgate_down_to {
    default @meshgate_down;
    "@meshgate_refuse_grpc" @meshgate_down_grpc;
  }
  map $meshgate_status $meshgate_grpc_status { default 16; "400" 13; "403" 7; "404" 12; "429" 14; "503" 14; }
`;

/** Sends refused calls to the location for gRPC. Other requests on the same route get the usual refusal. */
export const grpcErrorPages = conf`
  error_page 401 = $meshgate_refuse_to; error_page 500 = $meshgate_down_to; # clients of gRPC read a gRPC status
  error_page 400 = ${BAD_LOCATION}; error_page 414 494 = ${LARGE_LOCATION};
  ${otherErrors}
`;

/** The location that refuses gRPC calls. Such a refusal has a gRPC status (gRPC's HTTP/2 mapping, "Trailers-Only"). */
const refused = (name: string, status: string | ValuePart, reason: string | ValuePart): readonly Directive[] => conf`
  location ${name} {
    default_type application/grpc;
    add_header grpc-status ${status} always;
    add_header grpc-message "${reason} (request $request_id)" always;
    add_header Cache-Control no-store always;
    return 200 "";
  }
`;

export const grpcRefusals: readonly Directive[] = [
  ...refused('@meshgate_refuse_grpc', variable('meshgate_grpc_status'), variable('meshgate_reason')),
  ...refused('@meshgate_down_grpc', '14', 'check_unavailable'),
];

/** The directives of the gRPC module around all routes. They correspond to those of the proxy module. */
export const grpcAround = conf`
  grpc_intercept_errors off; # errors of the service pass unchanged
  ${ignoresAccel('grpc')}
  ${onceMore('grpc')}
`;
