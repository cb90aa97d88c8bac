import { audience, spiffe } from './policy.ts';
import type { Signer } from './tokens.ts';

/** The ports of an Envoy on this machine's loopback. */
interface Ports {
  readonly port: number;
  /** The service's port of mutual TLS. */
  readonly ingress: number;
}

const file = (filename: string) => ({ filename });

const tls = (type: 'UpstreamTlsContext' | 'DownstreamTlsContext', rest: object) => ({
  name: 'tls',
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${type}`, ...rest },
});

/** Similar to the gateway's log line, as far as Envoy has the values. */
const LOG = {
  time: '%START_TIME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(:PATH)%',
  host: '%REQ(:AUTHORITY)%',
  status: '%RESPONSE_CODE%',
  details: '%RESPONSE_CODE_DETAILS%',
  client: '%DOWNSTREAM_REMOTE_ADDRESS%',
  agent: '%REQ(USER-AGENT)%',
  id: '%REQ(X-REQUEST-ID)%',
  duration: '%DURATION%',
  upstream: '%UPSTREAM_HOST%',
};

/** A provider whose keys are in the configuration, and the cache of verified tokens. */
function jwtAuthn({ issuer, jwks }: Signer): object {
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
      providers: {
        bench: {
          issuer,
          audiences: [audience],
          forward: true,
          local_jwks: { inline_string: JSON.stringify(jwks) },
          jwt_cache_config: { jwt_cache_size: 1000 },
        },
      },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
    },
  };
}

/** Envoy with `jwt_authn` and nothing else, TLS from clients and mutual TLS to the service: its configuration, JSON. */
export function envoyConfiguration({ port, ingress }: Ports, signer: Signer): string {
  const address = (port_value: number) => ({ socket_address: { address: '127.0.0.1', port_value } });
  const http = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bench',
    access_log: [
      {
        name: 'file',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
          path: '/bench/access.log',
          log_format: { json_format: LOG },
        },
      },
    ],
    http_filters: [
      jwtAuthn(signer),
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'service' } }] },
      ],
    },
  };
  const listener = {
    name: 'bench',
    address: address(port),
    filter_chains: [
      {
        transport_socket: tls('DownstreamTlsContext', {
          common_tls_context: {
            tls_certificates: [
              { certificate_chain: file('/bench/server.pem'), private_key: file('/bench/server.pem') },
            ],
          },
        }),
        filters: [{ name: 'http', typed_config: http }],
      },
    ],
  };
  const cluster = {
    name: 'service',
    type: 'STATIC',
    load_assignment: {
      cluster_name: 'service',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(ingress) } }] }],
    },
    transport_socket: tls('UpstreamTlsContext', {
      sni: 'ingress.bench',
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: file('/bench/id-0/svid.pem'), private_key: file('/bench/id-0/svid_key.pem') },
        ],
        validation_context: {
          trusted_ca: file('/bench/mesh.pem'),
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'ingress.bench' } }],
        },
      },
    }),
  };
  return JSON.stringify({
    node: { id: spiffe(0), cluster: 'bench' },
    static_resources: { listeners: [listener], clusters: [cluster] },
  });
}

/** Starts it with one worker; its log is written every 20 ms. */
export const envoyCommand =
  'ulimit -n "$(ulimit -H -n)" && exec envoy -c /bench/envoy.json --concurrency 1 --disable-hot-restart --log-level warn --file-flush-interval-msec 20';
