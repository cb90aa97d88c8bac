import type { Ingress, Policy, Service } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { connectionManager } from './connection-manager.ts';
import { authoritiesOf } from './domains.ts';
import { spiffeIds } from './rbac.ts';

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

function cluster({ name, endpoint, protocol }: Service): unknown {
  const host = endpoint.host.replace(/^\[(.*)\]$/, '$1');
  return {
    name,
    type: 'STRICT_DNS',
    dns_lookup_family: 'V4_PREFERRED',
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
          address: address('0.0.0.0', own.listen),
          filter_chains: [
            {
              transport_socket: transportSocket(own, spiffeIds(policy, rules)),
              filters: [connectionManager(policy, rules, authorities)],
            },
          ],
        },
      ],
      clusters: authorities.map(({ service }) => cluster(service)),
    },
  };
}
