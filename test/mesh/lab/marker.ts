import type { Dump } from './dump.ts';
import { rootNamespace } from './istiod.ts';
import type { KubeObject } from './objects.ts';

const httpManager = 'envoy.filters.network.http_connection_manager';
const managerType =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** Puts a mark into everything that istiod sends to every Envoy, without an effect on which requests pass: when an
 * Envoy has the mark, it has all that was changed before. Answers carry it too, as `server: lab-17`.
 *
 * @param keeps whether connections are kept after an answer
 * @param namespace of those that get it; default all
 * */
export function markerObject(mark: string, keeps = false, namespace = rootNamespace): KubeObject {
  const listener = {
    name: mark,
    bind_to_port: false,
    address: { socket_address: { address: '127.0.0.1', port_value: 1 } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.tcp_proxy',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
              stat_prefix: 'lab',
              cluster: 'lab',
            },
          },
        ],
      },
    ],
  };
  const manager = {
    '@type': managerType,
    server_name: mark,
    server_header_transformation: 'OVERWRITE',
    // A connection keeps the configuration with which it began: pooled ones, of the gateway to the ingress or of the
    // ingress to a workload, would answer by the old one for a while.
    ...(keeps ? {} : { common_http_protocol_options: { max_requests_per_connection: 1 } }),
  };
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'lab-marker', namespace },
    spec: {
      configPatches: [
        { applyTo: 'LISTENER', match: { context: 'ANY' }, patch: { operation: 'ADD', value: listener } },
        {
          applyTo: 'NETWORK_FILTER',
          match: { context: 'ANY', listener: { filterChain: { filter: { name: httpManager } } } },
          patch: { operation: 'MERGE', value: { typed_config: manager } },
        },
        {
          applyTo: 'VIRTUAL_HOST',
          match: { context: 'ANY' },
          patch: { operation: 'ADD', value: { name: mark, domains: [`${mark}.invalid`], routes: [] } },
        },
      ],
    },
  };
}

/** Whether everything that an Envoy enforces arrived after the mark was set. */
export function hasMark({ listeners, routes }: Dump, mark: string): boolean {
  if (!listeners.some(({ name }) => name === mark)) return false;
  const texts = listeners.map(({ active }) => (active === undefined ? undefined : JSON.stringify(active)));
  if (!texts.every((text) => text?.includes(`"${mark}"`) || text?.includes(httpManager) === false)) return false;
  const wanted = new Set(
    texts.flatMap((text) => [...(text ?? '').matchAll(/"route_config_name":"([^"]+)"/g)]).map(([, name]) => name),
  );
  const marked = new Set(
    routes.filter(({ config }) => JSON.stringify(config).includes(`"${mark}"`)).map(({ name }) => name),
  );
  return [...wanted].every((name) => marked.has(name!));
}

/** The reason why Envoy refused a part of the update with the mark, or undefined. Earlier refusals are cleared by
 * then. */
export function refusal({ listeners }: Dump, mark: string): string | undefined {
  if (!listeners.some(({ name }) => name === mark)) return undefined;
  const refused = listeners.find(({ refused }) => refused !== undefined);
  return refused && `listener ${refused.name}: ${refused.refused}`;
}
