import { isWildcard } from '../../base/host-name.ts';
import { MAX_LOG_PATH } from '../../base/limits.ts';
import { NON_CANONICAL_PATH, OWN_PATH, PLAIN_PATH, PLAIN_SEGMENTS } from '../../base/raw-path.ts';
import { handlerMaps } from './answers/js-handler.ts';
import { pageMaps } from './answers/page.ts';
import { problemMaps } from './answers/problem-files.ts';
import { metadataMaps } from './answers/resource-metadata.ts';
import { clientCertificateMaps } from './check/client-certificate.ts';
import { networkVector } from './check/networks.ts';
import type { Context } from './render-context.ts';
import { connectionMaps } from './route/connections.ts';
import { corsMaps } from './route/cors.ts';
import { grpcMaps } from './route/grpc.ts';
import { filteredMaps } from './route/hide.ts';
import { passMap, speaksHttp2 } from './route/location.ts';
import { modulesOf } from './route/module.ts';
import { answerMap } from './route/path-answers.ts';
import { innerCertificateMap, inQueryMap } from './route/route-listener.ts';
import { credentialMaps } from './route/service-credential.ts';
import { workerMap } from './route/worker.ts';
import { hostMap } from './server/log.ts';
import { originMaps } from './signin/origin.ts';
import { sessionMaps } from './signin/sessions.ts';
import { conf, type Directive, regex, template, variable } from './text/directive.ts';
import type { ConfFile } from './text/files.ts';
import { requestHeader } from './text/names.ts';

/** The maps about a request. If a header is absent, nginx finds the empty text and evaluates no regular expression. */
const requestMaps = (context: Context): readonly Directive[] => conf`
  # Paths that a service could read in another way, or that look like paths of the gateway. They are rejected first.
  map $request_uri $meshgate_odd {
    // The default also applies if PCRE gives up.
    default path_not_canonical;
    "" "";
    // Also keeps the path for the log, unless it is too long, or absent as in "GET http://HOST?QUERY". The map of the log
    // then evaluates nothing.
    ${regex('~', `^(?=[^?]{1,${MAX_LOG_PATH}}+(?:[?]|$))(?<meshgate_log_path>${PLAIN_SEGMENTS})(?:[?]|$)`)} "";
    ${regex('~', PLAIN_PATH)} "";
    ${regex('~', NON_CANONICAL_PATH)} path_not_canonical;
    "~^/\.meshgate/" "";
    ${regex('~*', OWN_PATH)} route_unknown;
    "~^" "";
  }
  ${context.hosts.some(({ host }) => isWildcard(host.name)) && unknownHostMap}
  # Upgrade to WebSocket only: "Upgrade: h2c" would open a tunnel around the check.
  // HTTP/2 has no such header. So on a route with that protocol, no value matches.
  map ${speaksHttp2(context) ? template(variable('meshgate_http2'), variable('http_upgrade')) : variable('http_upgrade')} $meshgate_upgrade {
    "" "";
    "~*^websocket$" $meshgate_upgrade_by;
    default "";
  }
  // Other versions of HTTP have no such header (RFC 9113 section 8.2.2), but a client can send one.
  map $server_protocol $meshgate_upgrade_by { default ""; "HTTP/1.1" websocket; }
  map $meshgate_upgrade $meshgate_connection { default ""; "websocket" upgrade; }
`;

const unknownHostMap = conf`map $host $meshgate_odd_host { default host_unknown; "~^[a-z0-9.-]+$" ""; }`;

const traceMaps = conf`
  # Trace context (W3C): a valid one passes; otherwise nginx makes a new one and drops tracestate.
  // Both expressions also keep the ids for the log. The maps of the log then evaluate nothing.
  map $http_traceparent $meshgate_traceparent_sent {
    "" "";
    "~^00-(?<meshgate_trace_id>(?!0{32})[0-9a-f]{32})-(?<meshgate_span_id>(?!0{16})[0-9a-f]{16})-[0-9a-f]{2}$" $http_traceparent;
    default "";
  }
  map $request_id $meshgate_span_made {
    default "";
    "~^(?<meshgate_trace_id>(?<meshgate_span_id>[0-9a-f]{16})[0-9a-f]{16})$" $meshgate_span_id;
  }
  map $meshgate_traceparent_sent $meshgate_traceparent {
    "" 00-$request_id-$meshgate_span_made-01;
    default $meshgate_traceparent_sent;
  }
  map $meshgate_traceparent_sent $meshgate_tracestate { "" ""; default $http_tracestate; }
  map $meshgate_traceparent_sent $meshgate_trace_id {
    "" $request_id;
    "~^00-(?<meshgate_t>[0-9a-f]{32})" $meshgate_t;
  }
  map $meshgate_traceparent_sent $meshgate_span_id {
    "" $meshgate_span_made;
    "~^00-[0-9a-f]{32}-(?<meshgate_i>[0-9a-f]{16})" $meshgate_i;
  }
`;

/** The names of identity headers that the client sent. If it sent none, nginx evaluates nothing. */
function erasedMaps(names: readonly string[]): readonly Directive[] {
  if (names.length === 0) return conf`map "" $meshgate_erased { default ""; }`;
  const erased = names.map((_, i) => variable(`meshgate_erased_${i}`));
  return conf`
    # The names of identity headers that the client sent, for the log and for the service.
    map ${template(...names.map(requestHeader))} $meshgate_erased { "" ""; default $meshgate_erased_names; }
    map ${template(...erased)} $meshgate_erased_names { default ""; "~^, (?<meshgate_e>.+)$" $meshgate_e; }
    ${names.flatMap((name, i) => conf`map ${requestHeader(name)} ${erased[i]} { "" ""; default ", ${name}"; }`)}
  `;
}

/** The file with the maps that nginx uses for every request. It is the same for nearly all policies. */
export const mapsFile = (context: Context): ConfFile => [
  'maps.conf',
  [...requestMaps(context), ...traceMaps, ...inQueryMap],
  'Maps that nginx evaluates for every request.',
];

/** All other maps at the http level. */
export const maps = (context: Context): readonly Directive[] => [
  ...metadataMaps(context),
  ...erasedMaps(context.headerNames),
  ...connectionMaps(context),
  ...answerMap(context),
  ...passMap,
  ...credentialMaps(context),
  ...clientCertificateMaps(context),
  ...innerCertificateMap(context),
  ...networkVector(context),
  ...problemMaps(context.policy.gateway.inner !== undefined),
  ...hostMap(context),
  ...corsMaps(context),
  ...sessionMaps(context),
  ...filteredMaps(context),
  ...originMaps(context),
  ...workerMap(context),
  ...pageMaps(context),
  ...handlerMaps(context),
  ...(modulesOf(context.hosts).includes('grpc') ? grpcMaps : []),
];
