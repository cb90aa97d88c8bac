import { ETCD_TIMEOUT_MS, MAX_ETCD_BODY_BYTES } from '../../session/limits.ts';
import { block, commented, type Directive, fixed, line, literal, row, variable } from './directive.ts';
import { bodyBuffer, shown, timeouts, verified } from './module.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';
import { kept, upstream } from './upstreams.ts';

/** One node of the etcd cluster. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Host and port as in the URL, for the header `Host`. */
  readonly authority: string;
}

/** The nodes of the policy's store, in the order of the policy. */
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

/** One upstream for each node, because the JavaScript tries the nodes one after the other. */
export function etcdUpstreams(scene: Scene): readonly Directive[] {
  return etcdEndpoints(scene).map(({ host, port }, i) =>
    commented(`Node ${i} of etcd.`, upstream(scene, named(i), host, port, kept(30, 30))),
  );
}

/** The locations `/etcd/N/` of the egress server. The paths of etcd follow. */
export function etcdLocations(scene: Scene): readonly Directive[] {
  const { certFile, keyFile, caFile } = scene.policy.gateway.store ?? {};
  return etcdEndpoints(scene).map(({ host, authority }, i) =>
    block(
      'location',
      ['^~', literal(`/etcd/${i}/`)],
      [
        ...(certFile === undefined ? [] : [line('set', variable('meshgate_etcd_cert'), literal(certFile))]),
        ...(keyFile === undefined ? [] : [line('set', variable('meshgate_etcd_key'), literal(keyFile))]),
        ...bodyBuffer(MAX_ETCD_BODY_BYTES),
        line('proxy_pass', literal(`https://${named(i)}/`)),
        line('proxy_method', 'POST'),
        ...row([
          line('proxy_set_header', 'Host', literal(authority)),
          ...fixed('proxy_set_header Connection ""; proxy_set_header Content-Type application/json'),
        ]),
        ...timeouts(`${ETCD_TIMEOUT_MS}ms`, `${ETCD_TIMEOUT_MS}ms`, `${2 * ETCD_TIMEOUT_MS}ms`),
        ...verified('proxy', literal(host), caFile ?? scene.options.systemCa),
        ...(certFile === undefined || keyFile === undefined
          ? []
          : shown('proxy', variable('meshgate_etcd_cert'), variable('meshgate_etcd_key'))),
      ],
    ),
  );
}
