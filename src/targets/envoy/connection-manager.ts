import { TO_SERVICE } from '../../internal-headers.ts';
import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { jwtFilter, verifies } from './assertion.ts';
import type { Authority } from './domains.ts';
import { rbacFilters } from './rbac.ts';

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
const STDOUT = 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog';

/** The access log: one JSON line per request on standard output, without the query, which may contain secrets. */
const accessLog = {
  name: 'envoy.access_loggers.stdout',
  typed_config: {
    '@type': STDOUT,
    log_format: {
      json_format: {
        time: '%START_TIME%',
        method: '%REQ(:METHOD)%',
        path: '%PATH(NQ)%',
        authority: '%REQ(:AUTHORITY)%',
        response_code: '%RESPONSE_CODE%',
        response_code_details: '%RESPONSE_CODE_DETAILS%',
        response_flags: '%RESPONSE_FLAGS%',
        downstream_peer_uri_san: '%DOWNSTREAM_PEER_URI_SAN%',
        connection_id: '%CONNECTION_ID%',
        tls_session_id: '%DOWNSTREAM_TLS_SESSION_ID%',
        upstream_cluster: '%UPSTREAM_CLUSTER%',
        traceparent: '%REQ(TRACEPARENT)%',
        request_id: '%REQ(X-REQUEST-ID)%',
        rule: `%REQ(${TO_SERVICE.rule.toUpperCase()})%`,
      },
    },
  },
};

function virtualHost({ service, domains }: Authority): unknown {
  return {
    name: service.authority,
    domains,
    routes: [{ match: { prefix: '/' }, route: { cluster: service.name, timeout: '0s' } }],
  };
}

/** How long a stream may be silent. It is long enough for WebSockets and event streams, which nginx ends. */
const STREAM_IDLE = '3600s';

/** How long a stream may be open. The gateway does not check the caller of an open stream again. So a stream must not
 * outlive the longest session. Without sessions there is no limit, because the provider determines the lifetime of
 * tokens. */
const streamDuration = ({ gateway: { session } }: Policy): object =>
  session === undefined ? {} : { max_stream_duration: `${session.absolute}s` };

/** The HTTP filter with the limits, the log, the rules and the routes. */
export function connectionManager(policy: Policy, rules: readonly Rule[], authorities: readonly Authority[]): unknown {
  const assertion = verifies(policy);
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': HCM,
      stat_prefix: 'meshgate',
      access_log: [accessLog],
      use_remote_address: true,
      preserve_external_request_id: true,
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { uri: true },
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      stream_idle_timeout: STREAM_IDLE,
      request_headers_timeout: '10s',
      // nginx accepts 4 × 32 KB, and adds its own headers.
      max_request_headers_kb: 192,
      common_http_protocol_options: { max_headers_count: 250, ...streamDuration(policy) },
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      http_filters: [
        ...(assertion === undefined ? [] : [jwtFilter(policy, assertion, authorities)]),
        ...rbacFilters(policy, rules, authorities),
        { name: 'envoy.filters.http.router', typed_config: { '@type': ROUTER, suppress_envoy_headers: true } },
      ],
      route_config: { name: 'meshgate', virtual_hosts: authorities.map(virtualHost) },
    },
  };
}
