import { ETCD_TIMEOUT_MS, MAX_ETCD_BODY_BYTES } from '../../../session/limits.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer, timeouts, verified } from '../route/module.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, literal } from '../text/directive.ts';
import { kept, upstream } from './upstream-blocks.ts';

/** The nodes of the policy's store, in the order of the policy. The authority is for the header `Host`. */
export function etcdEndpoints(context: Context) {
  const { store } = context.policy.gateway;
  if (store === undefined || !hasSessions(context)) return [];
  return store.endpoints.map((url) => {
    const [, authority = '', host = '', port = '443'] =
      /^https:\/\/((\[[^\]]+\]|[^/:]+)(?::(\d+))?)\/?$/.exec(url) ?? [];
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), authority };
  });
}

const named = (index: number): string => `meshgate_etcd_${index}`;

/** One upstream for each node, because the JavaScript tries the nodes one after the other. */
export const etcdUpstreams = (context: Context): readonly Directive[] =>
  etcdEndpoints(context).flatMap(
    ({ host, port }, i) => conf`
      # Node ${i} of etcd.
      ${upstream(context, named(i), { host, port }, kept(30, 30))}
    `,
  );

/** The locations `/etcd/N/` of the egress server. The paths of etcd follow. */
export function etcdLocations(context: Context): readonly Directive[] {
  const { certFile, keyFile, caFile } = context.policy.gateway.store ?? {};
  const time = `${ETCD_TIMEOUT_MS}ms`;
  return etcdEndpoints(context).flatMap(
    ({ host, authority }, i) => conf`
      location ^~ /etcd/${i}/ {
        ${certFile !== undefined && conf`set $meshgate_etcd_cert ${certFile};`}
        ${keyFile !== undefined && conf`set $meshgate_etcd_key ${keyFile};`}
        ${bodyBuffer(MAX_ETCD_BODY_BYTES)}
        proxy_pass https://${named(i)}/;
        proxy_method POST;
        proxy_set_header Host ${authority}; proxy_set_header Connection ""; proxy_set_header Content-Type application/json;
        ${timeouts(time, time, `${2 * ETCD_TIMEOUT_MS}ms`)}
        ${verified('proxy', literal(host), caFile ?? context.options.systemCa)}
        ${
          certFile !== undefined &&
          keyFile !== undefined &&
          conf`proxy_ssl_certificate $meshgate_etcd_cert; proxy_ssl_certificate_key $meshgate_etcd_key;`
        }
      }
    `,
  );
}
