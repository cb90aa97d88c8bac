import type { ConsulEntry, Header, JwtProvider, Permission, Required, ServiceIntentions, Source } from './objects.ts';

/**
 * The configuration that Consul's servers make of entries for the proxy of a workload, in the parts that decide: mutual
 * TLS, agent/xds/jwt_authn.go and agent/xds/rbac.go of Consul 1.16.3, in a mesh that refuses by default.
 */

/** The address of a workload's proxy, and the service behind it. */
export interface Workload {
  /** Its name in Consul. */
  readonly service: string;
  readonly listen: number;
  readonly host: string;
  readonly port: number;
}

/** Files of the proxy's own certificate and of the mesh's CA. */
export interface ProxyFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** The settings of the whole mesh. */
export interface MeshSetup {
  readonly trustDomain: string;
  /** Paths are normalised before they are matched: the default since Consul 1.20.1. */
  readonly normalizes: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const type = (name: string) => ({ '@type': `type.googleapis.com/envoy.${name}` });
const regex = (text: string) => ({ safe_regex: { regex: text } });

const all = (rules: readonly Json[]): Json =>
  rules.length === 1 ? (rules[0] as Json) : rules.length === 0 ? { any: true } : { and_rules: { rules } };

const HOW = { Exact: 'exact', Prefix: 'prefix', Suffix: 'suffix' } as const;

function headerIs({ name, how, value, invert }: Header): Json {
  const match = how === 'Regex' ? regex(value) : how === 'Present' ? undefined : { [HOW[how]]: value };
  const reported = match === undefined ? { present_match: true } : { string_match: match };
  return { header: { name, ...reported, ...(invert && { invert_match: true }) } };
}

/** The match of a permission: path, method and headers, and not the JWT. */
function matched({ exact, prefix, regex: pattern, methods, headers }: Permission): Json {
  const path = exact !== '' ? { exact } : prefix !== '' ? { prefix } : pattern !== '' ? regex(pattern) : undefined;
  return all([
    ...(path === undefined ? [] : [{ url_path: { path } }]),
    ...headers.map(headerIs),
    ...(methods.length === 0 ? [] : [{ header: { name: ':method', string_match: regex(methods.join('|')) } }]),
  ]);
}

const payload = (provider: string): string => `jwt_payload_${provider}`;

function claim(provider: string, path: readonly string[], value: string): Json {
  const keys = [payload(provider), ...path].map((key) => ({ key }));
  return {
    metadata: { filter: 'envoy.filters.http.jwt_authn', path: keys, value: { string_match: { exact: value } } },
  };
}

function verified({ provider, claims }: Required, issuer: string): Json {
  const own = claims.map(({ path, value }) => claim(provider, path, value));
  return all([claim(provider, ['iss'], issuer), ...(own.length === 0 ? [] : [all(own)])]);
}

/** Of ordered permissions those that allow, each minus all earlier ones. */
function permissionsOf(own: readonly Permission[], issuers: ReadonlyMap<string, string>): readonly Json[] {
  return own.flatMap((permission, index): readonly Json[] => {
    if (permission.action === 'deny') return [];
    const before = own.slice(0, index).map((it) => ({ not_rule: matched(it) }));
    const tokens = permission.jwt.map((it) => verified(it, issuers.get(it.provider) ?? ''));
    const signed = tokens.length < 2 ? tokens : [{ or_rules: { rules: tokens } }];
    return [all([all([matched(permission), ...before.reverse()]), ...signed])];
  });
}

/** All services with a name, in any datacenter. */
const principal = (name: string, trustDomain: string): Json => ({
  authenticated: { principal_name: regex(`^spiffe://${trustDomain}/ns/default/dc/[^/]+/svc/${name}$`) },
});

/** Sources that deny have no policy, and neither has the wildcard, because all rendered entries deny it. */
function rbac(sources: readonly Source[], issuers: ReadonlyMap<string, string>, trustDomain: string): Json {
  const named = sources.filter(({ name }) => name !== '*');
  const layer7 = named.filter(({ permissions }) => permissions.length > 0);
  const layer4 = named.filter(({ permissions, action }) => permissions.length === 0 && action === 'allow');
  const policies = layer7.flatMap(({ name, permissions }, index) => {
    const own = permissionsOf(permissions, issuers);
    if (own.length === 0) return [];
    return [[`consul-intentions-layer7-${index}`, { permissions: own, principals: [principal(name, trustDomain)] }]];
  });
  const entire = { permissions: [{ any: true }], principals: layer4.map(({ name }) => principal(name, trustDomain)) };
  const all = [...(layer4.length === 0 ? [] : [['consul-intentions-layer4', entire]]), ...policies];
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: {
      ...type('extensions.filters.http.rbac.v3.RBAC'),
      rules: all.length === 0 ? {} : { policies: Object.fromEntries(all) },
    },
  };
}

/** Where a proxy gets keys: from the entry, or from a cluster that Consul makes of the entry. */
function keysOf({ name, keys, remote }: JwtProvider): Json {
  if (remote === undefined) return { local_jwks: { inline_string: keys } };
  const { URI: uri, RequestTimeoutMs: ms } = remote as { readonly URI: string; readonly RequestTimeoutMs: number };
  const http_uri = { uri, cluster: `jwks_cluster_${name}`, timeout: `${ms / 1000}s` };
  return { remote_jwks: { http_uri, async_fetch: {} } };
}

/** Verifies tokens and leaves their claims to the permissions; an invalid token passes, as a missing one does. */
function jwtAuthn(providers: readonly JwtProvider[]): Json {
  const requirements = providers.map(({ name }) => ({
    requires_any: { requirements: [{ provider_name: name }, { allow_missing_or_failed: {} }] },
  }));
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      ...type('extensions.filters.http.jwt_authn.v3.JwtAuthentication'),
      providers: Object.fromEntries(
        providers.map((it) => [
          it.name,
          {
            issuer: it.issuer,
            audiences: it.audiences,
            payload_in_metadata: payload(it.name),
            ...keysOf(it),
            from_headers: it.headers.map((name) => ({ name })),
            forward: it.forward,
          },
        ]),
      ),
      rules: [
        {
          match: { prefix: '/' },
          requires: requirements.length === 1 ? requirements[0] : { requires_all: { requirements } },
        },
      ],
    },
  };
}

const address = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });

/** The filters of the proxy of a service that verify tokens and decide. */
export function filtersOf(entries: readonly ConsulEntry[], service: string, trustDomain: string): readonly Json[] {
  const all = entries.filter((it): it is ServiceIntentions => it.kind === 'service-intentions');
  const own = all.find(({ name }) => name === service)?.sources ?? [];
  const wide = all.find(({ name }) => name === '*')?.sources ?? [];
  const sources = [...own, ...wide.filter(({ name }) => !own.some((it) => it.name === name))];
  const named = sources.flatMap(({ permissions }) => permissions.flatMap(({ jwt }) => jwt));
  const providers = entries.filter(
    (it): it is JwtProvider => it.kind === 'jwt-provider' && named.some(({ provider }) => provider === it.name),
  );
  const issuers = new Map(providers.map(({ name, issuer }) => [name, issuer]));
  return [...(providers.length === 0 ? [] : [jwtAuthn(providers)]), rbac(sources, issuers, trustDomain)];
}

function listener(entries: readonly ConsulEntry[], { service, listen }: Workload, files: ProxyFiles, mesh: MeshSetup) {
  const router = { name: 'envoy.filters.http.router', typed_config: type('extensions.filters.http.router.v3.Router') };
  return {
    name: service,
    address: address('0.0.0.0', listen),
    filter_chains: [
      {
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            ...type('extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
            require_client_certificate: true,
            common_tls_context: {
              tls_certificates: [{ certificate_chain: { filename: files.cert }, private_key: { filename: files.key } }],
              validation_context: { trusted_ca: { filename: files.ca } },
            },
          },
        },
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              ...type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
              stat_prefix: 'public_listener',
              normalize_path: mesh.normalizes,
              forward_client_cert_details: 'SANITIZE_SET',
              set_current_client_cert_details: { uri: true },
              http_filters: [...filtersOf(entries, service, mesh.trustDomain), router],
              route_config: {
                name: service,
                virtual_hosts: [
                  { name: service, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: service } }] },
                ],
              },
            },
          },
        ],
      },
    ],
  };
}

const cluster = ({ service, host, port }: Workload) => ({
  name: service,
  type: 'STRICT_DNS',
  dns_lookup_family: 'V4_PREFERRED',
  load_assignment: {
    cluster_name: service,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: address(host, port) } }] }],
  },
});

/** Envoy's whole configuration for the proxies of some workloads, all in one. */
export function proxyConfig(
  entries: readonly ConsulEntry[],
  workloads: readonly Workload[],
  files: ProxyFiles,
  mesh: MeshSetup,
): Json {
  return {
    // As in Consul's own bootstrap: Envoy's default is 100.
    layered_runtime: {
      layers: [{ name: 'base', static_layer: { 're2.max_program_size.error_level': 1048576 } }],
    },
    static_resources: {
      listeners: workloads.map((it) => listener(entries, it, files, mesh)),
      clusters: workloads.map(cluster),
    },
  };
}
