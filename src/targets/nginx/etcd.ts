import { ETCD_TIMEOUT_MS, MAX_ETCD_BODY_BYTES } from '../../session/limits.ts';
import { block, commented, type Directive, line, literal, variable } from './directive.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';
import { kept, upstream } from './upstreams.ts';

/** A node of etcd. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** As the URL has it, for `Host`. */
  readonly authority: string;
}

/** The endpoints of the policy's store, in its order. */
export function etcdEndpoints(scene: Scene): readonly Endpoint[] {
  const { store } = scene.policy.gateway;
  if (store === undefined || !hasSessions(scene)) return [];
  return store.endpoints.map((url) => {
    const [, authority = '', host = '', port = '443'] =
      /^https:\/\/((\[[^\]]+\]|[^/:]+)(?::(\d+))?)\/?$/.exec(url) ?? [];
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), authority };
  });
}

const named = (index: number): string => `meshgate_etcd_${index}`;

/** One upstream per node, because the JavaScript tries the nodes in turn. */
export function etcdUpstreams(scene: Scene): readonly Directive[] {
  return etcdEndpoints(scene).map(({ host, port }, i) =>
    commented(`Node ${i} of etcd.`, upstream(scene, named(i), host, port, kept(30, 30))),
  );
}

/** `/etcd/N/` of the egress server, followed by etcd's own paths. */
export function etcdLocations(scene: Scene, once: readonly Directive[]): readonly Directive[] {
  const { certFile, keyFile, caFile } = scene.policy.gateway.store ?? {};
  return etcdEndpoints(scene).map(({ host, authority }, i) =>
    block(
      'location',
      ['^~', literal(`/etcd/${i}/`)],
      [
        ...(certFile === undefined ? [] : [line('set', variable('meshgate_etcd_cert'), literal(certFile))]),
        ...(keyFile === undefined ? [] : [line('set', variable('meshgate_etcd_key'), literal(keyFile))]),
        line('client_max_body_size', `${MAX_ETCD_BODY_BYTES >> 10}k`),
        line('client_body_buffer_size', `${MAX_ETCD_BODY_BYTES >> 10}k`),
        line('proxy_pass', literal(`https://${named(i)}/`)),
        line('proxy_method', 'POST'),
        line('proxy_http_version', '1.1'),
        line('proxy_pass_request_headers', 'off'),
        line('proxy_set_header', 'Host', literal(authority)),
        line('proxy_set_header', 'Connection', literal('')),
        line('proxy_set_header', 'Content-Type', 'application/json'),
        line('proxy_connect_timeout', `${ETCD_TIMEOUT_MS}ms`),
        line('proxy_send_timeout', `${ETCD_TIMEOUT_MS}ms`),
        line('proxy_read_timeout', `${2 * ETCD_TIMEOUT_MS}ms`),
        ...once,
        line('proxy_ssl_verify', 'on'),
        line('proxy_ssl_verify_depth', '5'),
        line('proxy_ssl_trusted_certificate', literal(caFile ?? scene.options.systemCa)),
        line('proxy_ssl_server_name', 'on'),
        line('proxy_ssl_name', literal(host)),
        line('proxy_ssl_session_reuse', 'off'),
        ...(certFile === undefined || keyFile === undefined
          ? []
          : [
              line('proxy_ssl_certificate', variable('meshgate_etcd_cert')),
              line('proxy_ssl_certificate_key', variable('meshgate_etcd_key')),
            ]),
      ],
    ),
  );
}
