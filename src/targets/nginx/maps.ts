import { isWildcard } from '../../host-name.ts';
import { ODD_PATH, OWN_PATH, PLAIN_PATH } from '../../raw-path.ts';
import { answerMap } from './answer.ts';
import { clientCertificateMaps } from './client-certificate.ts';
import { connectionMaps } from './connections.ts';
import { corsMaps } from './cors.ts';
import { commented, type Directive, key, literal, map, regex, template, variable } from './directive.ts';
import { innerCertificateMap, inQueryMap } from './door.ts';
import type { ConfFile } from './files.ts';
import { grpcMaps } from './grpc.ts';
import { handlerMaps } from './handler.ts';
import { clearedMaps } from './hide.ts';
import { passMap, speaksHttp2 } from './location.ts';
import { hostMap } from './log.ts';
import { metadataMaps } from './metadata.ts';
import { modulesOf } from './module.ts';
import { requestHeader } from './names.ts';
import { networkVector } from './networks.ts';
import { originMaps } from './origin.ts';
import { pageMaps } from './page.ts';
import { problemMaps } from './problem.ts';
import type { Scene } from './scene.ts';
import { sessionMaps } from './session.ts';
import { workerMap } from './worker.ts';

const HEX = '[0-9a-f]';
const TRACEPARENT = `^00-(?!0{32})${HEX}{32}-(?!0{16})${HEX}{16}-${HEX}{2}$`;

/** The maps about a request. A lookup finds whether the request has unusual parts, so that most requests need no
 * regular expression. */
const requestMaps = (scene: Scene): readonly Directive[] => [
  commented(
    'Paths that a service could read in another way, or that look like paths of the gateway. They are rejected first.',
    map(variable('request_uri'), 'meshgate_odd', [
      // The default also applies if PCRE gives up.
      ['default', 'path_not_canonical'],
      [key(''), literal('')],
      [regex('~', PLAIN_PATH), literal('')],
      [regex('~', ODD_PATH), 'path_not_canonical'],
      [regex('~', '^/\\.meshgate/'), literal('')],
      [regex('~*', OWN_PATH), 'route_unknown'],
      [regex('~', '^'), literal('')],
    ]),
  ),
  ...(scene.hosts.some(({ host }) => isWildcard(host.name))
    ? [
        map(variable('host'), 'meshgate_odd_host', [
          ['default', 'host_unknown'],
          [regex('~', '^[a-z0-9.-]+$'), literal('')],
        ] as const),
      ]
    : []),
  commented(
    'Upgrade to WebSocket only: "Upgrade: h2c" would open a tunnel around the check.',
    // HTTP/2 has no such header. So on a route of that protocol nothing matches.
    map(
      speaksHttp2(scene) ? template(variable('meshgate_http2'), variable('http_upgrade')) : variable('http_upgrade'),
      'meshgate_upgrade',
      [
        [key(''), literal('')],
        [regex('~*', '^websocket$'), variable('meshgate_upgrade_by')],
        ['default', literal('')],
      ],
    ),
  ),
  // Other versions of HTTP have no such header (RFC 9113 section 8.2.2), but a client can send one.
  map(variable('server_protocol'), 'meshgate_upgrade_by', [
    ['default', literal('')],
    [key('HTTP/1.1'), 'websocket'],
  ]),
  map(variable('meshgate_upgrade'), 'meshgate_connection', [
    ['default', literal('')],
    [key('websocket'), 'upgrade'],
  ]),
];

const traceMaps: readonly Directive[] = [
  commented(
    'Trace context (W3C): a valid one passes; otherwise nginx makes a new one and drops tracestate.',
    map(variable('http_traceparent'), 'meshgate_traceparent_sent', [
      [key(''), literal('')],
      [regex('~', TRACEPARENT), variable('http_traceparent')],
      ['default', literal('')],
    ]),
  ),
  map(variable('request_id'), 'meshgate_span_made', [
    ['default', literal('')],
    [regex('~', `^(?<meshgate_s>${HEX}{16})`), variable('meshgate_s')],
  ]),
  map(variable('meshgate_traceparent_sent'), 'meshgate_traceparent', [
    [key(''), template('00-', variable('request_id'), '-', variable('meshgate_span_made'), '-01')],
    ['default', variable('meshgate_traceparent_sent')],
  ]),
  map(variable('meshgate_traceparent_sent'), 'meshgate_tracestate', [
    [key(''), literal('')],
    ['default', variable('http_tracestate')],
  ]),
  map(variable('meshgate_traceparent_sent'), 'meshgate_trace_id', [
    [key(''), variable('request_id')],
    [regex('~', `^00-(?<meshgate_t>${HEX}{32})`), variable('meshgate_t')],
  ]),
  map(variable('meshgate_traceparent_sent'), 'meshgate_span_id', [
    [key(''), variable('meshgate_span_made')],
    [regex('~', `^00-${HEX}{32}-(?<meshgate_i>${HEX}{16})`), variable('meshgate_i')],
  ]),
];

/** The names of identity headers that the client sent. If it sent none, nginx evaluates nothing. */
function erasedMaps(names: readonly string[]): readonly Directive[] {
  const tried = names.map((_, i) => variable(`meshgate_erased_${i}`));
  if (names.length === 0) return [map(literal(''), 'meshgate_erased', [['default', literal('')]])];
  return [
    commented(
      'The names of identity headers that the client sent, for the log and for the service.',
      map(template(...names.map(requestHeader)), 'meshgate_erased', [
        [key(''), literal('')],
        ['default', variable('meshgate_erased_names')],
      ]),
    ),
    map(template(...tried), 'meshgate_erased_names', [
      ['default', literal('')],
      [regex('~', '^, (?<meshgate_e>.+)$'), variable('meshgate_e')],
    ]),
    ...names.map((name, i) =>
      map(requestHeader(name), `meshgate_erased_${i}`, [
        [key(''), literal('')],
        ['default', literal(`, ${name}`)],
      ]),
    ),
  ];
}

/** The file with the maps that nginx uses for every request. It is the same for nearly all policies. */
export const mapsFile = (scene: Scene): ConfFile => [
  'maps.conf',
  [...requestMaps(scene), ...traceMaps, inQueryMap],
  'What nginx reads of every request.',
];

/** All other maps at the http level. */
export function maps(scene: Scene): readonly Directive[] {
  return [
    ...metadataMaps(scene),
    ...erasedMaps(scene.headerNames),
    ...connectionMaps(scene),
    answerMap(scene),
    commented('A request goes to a service only if the check names a rule that allows it.', passMap),
    ...clientCertificateMaps(scene),
    ...innerCertificateMap(scene),
    ...networkVector(scene),
    ...problemMaps(scene.policy.gateway.inner !== undefined),
    hostMap(scene),
    ...corsMaps(scene),
    ...sessionMaps(scene),
    ...clearedMaps(scene),
    ...originMaps(scene),
    ...workerMap(scene),
    ...pageMaps(scene),
    ...handlerMaps(scene),
    ...(modulesOf(scene.hosts).includes('grpc') ? grpcMaps : []),
  ];
}
