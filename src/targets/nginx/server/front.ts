import { IMAGE_DIR } from '../options.ts';
import type { Context } from '../render-context.ts';
import { fromMaps } from '../signin/address-limits.ts';
import { conf, type Directive, key, line, literal, template } from '../text/directive.ts';
import { listenersAt } from '../upstream/upstream-blocks.ts';
import { connectionsPerAddress, HEALTH_CLIENTS, SITE_CONNECTIONS, WORKER_CLIENTS } from './strangers.ts';

/* The front of the image: it counts connections by address from their first byte, and hands each connection itself over to
 * the servers of http, in the same worker. nginx's `limit_conn` of http counts a connection only when its first request
 * has arrived, so it does not count half handshakes and half headers. docs/contributing/decisions/005-connections-by-address.md. */

const socket = ({ options }: Context, port: number): string => `unix:${options.runDir}/front-${port}.sock`;

/** The addresses at which the servers of a port listen. A sidecar has no front: every client is its ingress. */
export const behindFront = (context: Context, port: number): readonly string[] =>
  context.options.sidecar ? listenersAt(context, port) : [socket(context, port)];

/** The socket of health for the health command of the image, and for its front. */
const healthSocket = ({ options }: Context): string => `unix:${options.runDir}/health.sock`;

/** The listeners of `gateway.health`. */
function healthListeners(context: Context): readonly string[] {
  const { health } = context.policy.gateway;
  if (health === undefined) return [];
  return /^\d+$/.test(health) ? listenersAt(context, health) : [health];
}

/** Whether the front accepts the connections to health. An nginx of the operator leaves stream.conf out. */
const isHealthBehindFront = ({ options }: Context): boolean =>
  options.dir === IMAGE_DIR && options.inController === undefined;

/** The addresses at which the server of health listens. */
export const healthAt = (context: Context): readonly string[] => [
  healthSocket(context),
  ...(isHealthBehindFront(context) ? [] : healthListeners(context)),
];

/** The front of health. It counts by itself: nodes can hide clients behind the address of their kubelet, and a flood at the
 * other ports must not close probes out. */
function healthFront(context: Context): readonly Directive[] {
  const listeners = healthListeners(context);
  if (!isHealthBehindFront(context) || listeners.length === 0) return [];
  const { address, worker } = HEALTH_CLIENTS;
  return conf`
    # Connections to health of an address, of a site of IPv6, and of all clients, at each worker.
    limit_conn_zone $pid:$meshgate_from zone=meshgate_health_from:1m;
    limit_conn_zone $meshgate_front_some_site zone=meshgate_health_site:1m;
    limit_conn_zone $pid zone=meshgate_health_worker:1m;
    server {
      ${listeners.flatMap((at) => conf`listen ${at};`)}
      limit_conn meshgate_health_from ${address}; limit_conn meshgate_health_site ${SITE_CONNECTIONS * address};
      limit_conn meshgate_health_worker ${worker};
      pass ${template(healthSocket(context))};
    }
  `;
}

/** stream.conf: the front of the image.
 * @param ports the ports with servers in servers.conf */
export function streamConf(context: Context, ports: readonly number[]): readonly Directive[] {
  const hosts = context.options.sidecar || ports.length === 0 ? [] : hostsFront(context, ports);
  const health = healthFront(context);
  if (hosts.length + health.length === 0) return [];
  return conf`
    ${fromMaps}
    // The counts of a worker that dies are never taken back. So each worker has its own.
    map $meshgate_from_site $meshgate_front_some_site { "" ""; default $pid:$meshgate_from_site; }
    limit_conn_log_level info;
    ${hosts}
    ${health}
  `;
}

/** The front of the ports of hosts. */
function hostsFront(context: Context, ports: readonly number[]): readonly Directive[] {
  const { trustedProxies } = context.policy.gateway;
  const perAddress = connectionsPerAddress(context);
  const server = (port: number) => conf`
    server {
      ${listenersAt(context, port).flatMap((at) => conf`listen ${at} backlog=4096;`)}
      pass ${template(socket(context, port))};
    }
  `;
  return conf`
    # Proxies of the policy carry the connections of many people.
    geo $meshgate_front_proxy { default 0; ${trustedProxies.map((it) => line(literal(it), '1'))} }
    map $meshgate_front_proxy $meshgate_front_from { ${key('0')} $pid:$meshgate_from; default ""; }
    map $meshgate_front_proxy $meshgate_front_site { ${key('0')} $meshgate_front_some_site; default ""; }
    # Connections of an address, of a site of IPv6, and of all clients, at each worker. A refused connection is closed, and writes no line.
    limit_conn_zone $meshgate_front_from zone=meshgate_front_from:8m; limit_conn meshgate_front_from ${perAddress};
    limit_conn_zone $meshgate_front_site zone=meshgate_front_site:8m; limit_conn meshgate_front_site ${SITE_CONNECTIONS * perAddress};
    limit_conn_zone $pid zone=meshgate_front_worker:1m; limit_conn meshgate_front_worker ${WORKER_CLIENTS};
    ${ports.flatMap(server)}
  `;
}
