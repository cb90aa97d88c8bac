import { FROM_HANDLER } from '../../internal-headers.ts';
import { ODD_PATH, OWN_PATH, PLAIN_PATH } from '../../raw-path.ts';
import { asksCertificates, clientCertificateMaps } from './client-certificate.ts';
import { connectionMaps } from './connections.ts';
import { corsMaps } from './cors.ts';
import { commented, type Directive, key, literal, map, regex, template, variable } from './directive.ts';
import { innerCertificateMap, inQueryMap } from './door.ts';
import { grpcMaps, moduleOf } from './grpc.ts';
import { handlerMaps } from './handler.ts';
import { clearedMaps } from './hide.ts';
import { passMap, speaksHttp2 } from './location.ts';
import { logMaps } from './log.ts';
import { metadataMaps } from './metadata.ts';
import { answerHeader, requestHeader } from './names.ts';
import { networkVector } from './networks.ts';
import { originMaps } from './origin.ts';
import { pageMaps } from './page.ts';
import { problemMaps } from './problem.ts';
import type { Scene } from './scene.ts';
import { hasSessions, sessionMaps } from './session.ts';
import { workerMap } from './worker.ts';

const HEX = '[0-9a-f]';
const TRACEPARENT = `^00-(?!0{32})${HEX}{32}-(?!0{16})${HEX}{16}-${HEX}{2}$`;

/** Whether a request has unusual parts is found by a lookup, before any expression is tried. */
const requestMaps = (scene: Scene): readonly Directive[] => [
  commented(
    'Raw paths that could mean another one behind us, or read as one of ours: refused before anything else.',
    map(variable('request_uri'), 'meshgate_odd', [
      // Also if PCRE gives up.
      ['default', 'path_not_canonical'],
      [key(''), literal('')],
      [regex('~', PLAIN_PATH), literal('')],
      [regex('~', ODD_PATH), 'path_not_canonical'],
      [regex('~', '^/\\.meshgate/'), literal('')],
      [regex('~*', OWN_PATH), 'route_unknown'],
      [regex('~', '^'), literal('')],
    ]),
  ),
  ...(scene.hosts.some(({ host }) => host.name.startsWith('*'))
    ? [
        map(variable('host'), 'meshgate_odd_host', [
          ['default', 'host_unknown'],
          [regex('~', '^[a-z0-9.-]+$'), literal('')],
        ] as const),
      ]
    : []),
  commented(
    'WebSocket and nothing else: "Upgrade: h2c" would open a tunnel past the check.',
    // HTTP/2 has no such header, so on a route of that protocol nothing matches.
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
  // Other versions have no such header (RFC 9113 section 8.2.2), but a client can send one.
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
    'Trace context (W3C): a valid one passes, another is made anew, and its tracestate dropped.',
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

/** nginx writes three digits, 000 without a response (009 for HTTP/0.9), but a JSON number must not begin with zero. */
const codeMap: Directive = map(variable('status'), 'meshgate_code', [
  ['default', variable('status')],
  [key('000'), '0'],
  [key('009'), '0'],
]);

/** Why a request was refused: by the check, or if no rule allowed it, by nginx itself. */
const reasonMaps = (inner: boolean, certificates: boolean, sessions: boolean): readonly Directive[] => [
  ...problemMaps(inner),
  commented(
    `Reasons of the log: of the check, or else of ${sessions ? 'the sign-in or ' : ''}nginx where no rule let the request pass.`,
    map(template(variable('meshgate_rule'), variable('meshgate_reason')), 'meshgate_log_reason', [
      [key(''), variable(sessions ? 'meshgate_handler_reason' : 'meshgate_status_reason')],
      ['default', variable('meshgate_reason')],
    ]),
  ),
  ...(sessions
    ? [
        map(answerHeader(FROM_HANDLER.reason), 'meshgate_handler_reason', [
          [key(''), variable('meshgate_status_reason')],
          ['default', answerHeader(FROM_HANDLER.reason)],
        ]),
      ]
    : []),
  map(variable('status'), 'meshgate_status_reason', [
    ['default', literal('')],
    [key('400'), variable('meshgate_bad_reason')],
    ...(certificates ? [[key('401'), variable('meshgate_certificate_reason')] as const] : []),
    [key('404'), 'route_unknown'],
    [key('421'), 'host_unknown'],
    ...(sessions ? [[key('429'), 'limit_exceeded'] as const] : []),
    [key('503'), 'check_unavailable'],
  ]),
  map(variable('meshgate_odd'), 'meshgate_bad_reason', [
    [key(''), 'request_malformed'],
    ['default', variable('meshgate_odd')],
  ]),
  ...(certificates ? [certificateMap(inner)] : []),
];

/** Why nginx refused a connection's requests by its certificate: all other 401s are the gateway's. */
const certificateMap = (inner: boolean): Directive =>
  map(variable('ssl_client_verify'), 'meshgate_certificate_reason', [
    ['default', 'proof_invalid'],
    [key('NONE'), inner ? 'proof_missing' : literal('')],
    [key('SUCCESS'), literal('')],
    [key(''), literal('')],
  ]);

/** Names of the identity headers that the client tried to set; nothing is evaluated if it set none. */
function erasedMaps(names: readonly string[]): readonly Directive[] {
  const tried = names.map((_, i) => variable(`meshgate_erased_${i}`));
  if (names.length === 0) return [map(literal(''), 'meshgate_erased', [['default', literal('')]])];
  return [
    commented(
      'Identity headers that the client tried to set, by name, for the log and the service.',
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

/** All maps of the http level. */
export function maps(scene: Scene): readonly Directive[] {
  const inner = scene.policy.gateway.inner !== undefined;
  return [
    ...requestMaps(scene),
    ...traceMaps,
    inQueryMap,
    ...metadataMaps(scene),
    ...erasedMaps(scene.headerNames),
    ...connectionMaps(scene),
    commented('Where a request goes that a rule let pass; any other goes nowhere.', passMap),
    ...clientCertificateMaps(scene),
    ...innerCertificateMap(scene),
    ...networkVector(scene),
    ...reasonMaps(inner, inner || asksCertificates(scene), hasSessions(scene)),
    codeMap,
    ...logMaps(scene),
    ...corsMaps(scene),
    ...sessionMaps(scene),
    ...clearedMaps(scene),
    ...originMaps(scene),
    ...workerMap(scene),
    ...pageMaps(scene),
    ...handlerMaps(scene),
    ...(scene.hosts.some(({ routes }) => routes.some(({ service }) => moduleOf(service) === 'grpc')) ? grpcMaps : []),
  ];
}
