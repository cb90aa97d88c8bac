/** Real lines of each log about one request, as functions of what differs between the tests. */

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
export const REQUEST = '9795ce5ecb841cd57231e9be6a3e3b4b';
export const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
/** The id that Istio's ingress gives a request in place of the gateway's. */
export const OTHER = '7f1a2b3c-0d1e-4f20-8a9b-0c1d2e3f4a5b';

type Fields = Readonly<Record<string, unknown>>;

/** A line of the gateway, as docs/log.md shows it. */
export const nginxLine = (fields: Fields = {}): string =>
  JSON.stringify({
    time: '2026-03-04T10:15:02+00:00',
    request_id: REQUEST,
    trace_id: TRACE,
    span_id: '00f067aa0ba902b7',
    'client.address': '192.0.2.7',
    'server.address': 'wiki.example.com',
    'http.request.method': 'GET',
    'url.path': '/rest/api/content',
    'http.route': 'wiki.example.com/rest/*',
    'http.response.status_code': 200,
    'user_agent.original': 'curl/8.14.1',
    'user.id': 'ben',
    'user.roles': 'reader',
    'meshgate.agent': 'wiki-pages',
    'meshgate.actors': 'pages-bot, planner',
    'meshgate.provider': 'okta',
    'meshgate.policy': '5f2d0c81b9a3e674',
    'meshgate.rule': 'wiki.example.com/rest/*#2',
    'meshgate.reason': '',
    'meshgate.service': 'wiki',
    'meshgate.identity': 'wiki-reader',
    'meshgate.upstream': '10.0.0.3:8443',
    'meshgate.erased': '',
    duration: 0.042,
    bytes: 106,
    ...fields,
  });

/** A line of the Envoy that meshgate configures. */
export const envoyLine = (fields: Fields = {}): string =>
  JSON.stringify({
    time: '2026-03-04T10:15:02.010Z',
    method: 'GET',
    path: '/rest/api/content',
    authority: 'wiki.mesh',
    response_code: 200,
    response_code_details: 'via_upstream',
    response_flags: '-',
    duration: 30,
    downstream_peer_uri_san: 'spiffe://example.org/wiki-reader',
    connection_id: 7,
    tls_session_id: null,
    upstream_cluster: 'wiki',
    upstream_host: '10.0.0.9:8080',
    traceparent: PARENT,
    request_id: REQUEST,
    rule: 'wiki.example.com/rest/*#2',
    ...fields,
  });

/** Istio's default line of text. `end` is what an own format adds. */
export const istioText = (end = '', code = '200 - via_upstream'): string =>
  `[2026-03-04T10:15:02.010Z] "GET /rest/api/content?token=secret HTTP/2" ${code} - "-" 0 512 30 28 "192.0.2.7" "curl/8.14.1" "${OTHER}" "wiki.mesh" "10.0.0.9:8080" outbound|8080||wiki.default.svc.cluster.local 10.0.0.3:51234 10.0.0.3:8443 192.0.2.7:0 wiki.mesh -${end}`;

/** Istio's default line as JSON. */
export const istioJson = (fields: Fields = {}): string =>
  JSON.stringify({
    authority: 'wiki.mesh',
    bytes_received: 0,
    bytes_sent: 512,
    connection_termination_details: null,
    downstream_local_address: '10.0.0.3:8443',
    downstream_remote_address: '192.0.2.7:0',
    duration: 30,
    method: 'GET',
    path: '/rest/api/content?token=secret',
    protocol: 'HTTP/2',
    request_id: OTHER,
    requested_server_name: 'wiki.mesh',
    response_code: 200,
    response_code_details: 'via_upstream',
    response_flags: '-',
    route_name: null,
    start_time: '2026-03-04T10:15:02.010Z',
    upstream_cluster: 'outbound|8080||wiki.default.svc.cluster.local',
    upstream_host: '10.0.0.9:8080',
    upstream_service_time: '28',
    ...fields,
  });

/** Envoy's own default line of text. */
export const envoyText = (end = ''): string =>
  `[2026-03-04T10:15:02.010Z] "GET /rest/api/content HTTP/1.1" 200 - 0 512 30 28 "192.0.2.7" "curl/8.14.1" "${REQUEST}" "wiki.mesh" "10.0.0.9:8080"${end}`;

/** A line of Linkerd's proxy as JSON. Its trace_id is the value of X-Request-Id. */
export const linkerdLine = (fields: Fields = {}): string =>
  JSON.stringify({
    'client.addr': '10.42.0.70:32996',
    'client.id': 'gateway.edge.serviceaccount.identity.linkerd.cluster.local',
    host: 'wiki.mesh',
    method: 'GET',
    processing_ns: '39826',
    request_bytes: '',
    response_bytes: '19',
    status: 200,
    timestamp: '2026-03-04T10:15:02.010549742Z',
    total_ns: '1052953',
    trace_id: REQUEST,
    uri: 'http://wiki.mesh/rest/api/content?token=secret',
    user_agent: 'curl/8.14.1',
    version: 'HTTP/1.1',
    ...fields,
  });

export const linkerdText =
  '10.42.0.70:32996 gateway.edge.serviceaccount.identity.linkerd.cluster.local - [2026-03-04T10:15:02.010549742Z] "GET http://wiki.mesh/rest/api/content HTTP/1.1" 403 -';

/** Tomcat's line in the pattern of Confluence, with the two headers at its end. */
export const confluenceLine = (end = ` ${PARENT} ${REQUEST}`): string =>
  `[04/Mar/2026:11:15:02 +0100] ben http-nio-8090-exec-4 10.0.0.3 GET /rest/api/content?token=secret HTTP/1.1 200 21ms 512 https://wiki.example.com/ curl/8.14.1${end}`;

/** A line of an application as JSON. */
export const appLine = (fields: Fields = {}): string =>
  JSON.stringify({
    '@timestamp': '2026-03-04T10:15:02.020Z',
    level: 'INFO',
    logger_name: 'wiki.pages',
    message: 'page 7 was read',
    traceId: TRACE,
    ...fields,
  });
