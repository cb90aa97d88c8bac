import { TO_MESH, TO_SERVICE } from '../../base/internal-headers.ts';
import type { Ingress, Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { jwtFilter, verifies } from './assertion.ts';
import { authoritiesOf, type EnvoyAuthority } from './domains.ts';
import { rbacFilters, spiffeIds } from './rbac.ts';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const HTTP = 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

const address = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });

/** The mTLS settings: Envoy accepts only client certificates of the CA with exactly one of these SPIFFE ids. */
function transportSocket(own: NonNullable<Ingress['own']>, spiffeIds: readonly string[]): unknown {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': TLS,
      require_client_certificate: true,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [{ certificate_chain: { filename: own.certFile }, private_key: { filename: own.keyFile } }],
        validation_context: {
          trusted_ca: { filename: own.clientCaFile },
          match_typed_subject_alt_names: spiffeIds.map((exact) => ({ san_type: 'URI', matcher: { exact } })),
        },
      },
    },
  };
}

/** The maximum of connections, requests and retries for a service. nginx enforces the real limits. */
const UNLIMITED = 100_000;

function cluster({ gateway }: Policy, { name, endpoint, protocol }: Service): unknown {
  const host = endpoint.host.replace(/^\[(.*)\]$/, '$1');
  return {
    name,
    type: 'STRICT_DNS',
    // AUTO prefers IPv6.
    dns_lookup_family: gateway.ipVersions.includes(4) ? 'V4_PREFERRED' : 'AUTO',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: UNLIMITED, max_pending_requests: UNLIMITED, max_requests: UNLIMITED }],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': HTTP,
        explicit_http_config: { [protocol === undefined ? 'http_protocol_options' : 'http2_protocol_options']: {} },
        // This is shorter than the keep-alive time of services, which is often five seconds.
        common_http_protocol_options: { idle_timeout: '4s' },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(host, endpoint.port) } }] }],
    },
  };
}

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
        duration: '%DURATION%',
        downstream_peer_uri_san: '%DOWNSTREAM_PEER_URI_SAN%',
        connection_id: '%CONNECTION_ID%',
        tls_session_id: '%DOWNSTREAM_TLS_SESSION_ID%',
        upstream_cluster: '%UPSTREAM_CLUSTER%',
        upstream_host: '%UPSTREAM_HOST%',
        traceparent: '%REQ(TRACEPARENT)%',
        request_id: '%REQ(X-REQUEST-ID)%',
        rule: `%REQ(${TO_SERVICE.rule.toUpperCase()})%`,
        probe: `%REQ(${TO_MESH.probe.toUpperCase()})%`,
      },
    },
  },
};

function virtualHost({ service, domains }: EnvoyAuthority): unknown {
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
function connectionManager(policy: Policy, rules: readonly Rule[], authorities: readonly EnvoyAuthority[]): unknown {
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

/** The address at which Envoy listens, for the versions of IP with which the gateway connects. */
function listener({ gateway: { ipVersions } }: Policy, port: number) {
  if (!ipVersions.includes(6)) return address('0.0.0.0', port);
  const both = ipVersions.includes(4) && { ipv4_compat: true };
  return { socket_address: { address: '::', port_value: port, ...both } };
}

/** The whole configuration of Envoy as a plain object. */
export function bootstrap(policy: Policy, rules: readonly Rule[], own = policy.mesh?.ingress.own): unknown {
  if (own === undefined) throw new Error('envoy: the policy says too little');
  const authorities = authoritiesOf(policy, rules);
  return {
    admin: { address: address('127.0.0.1', 9901) },
    static_resources: {
      listeners: [
        {
          name: 'meshgate',
          address: listener(policy, own.listen),
          filter_chains: [
            {
              transport_socket: transportSocket(own, spiffeIds(policy, rules)),
              filters: [connectionManager(policy, rules, authorities)],
            },
          ],
        },
      ],
      clusters: authorities.map(({ service }) => cluster(policy, service)),
    },
  };
}
