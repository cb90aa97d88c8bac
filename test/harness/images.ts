import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const list = fileURLToPath(new URL('../../test-results/images.txt', import.meta.url));

/**
 * An image as `prepare.sh` made it for this checkout: by the hash of its contents. The tag `dev` belongs to the
 * checkout that built last, so it is used only if nothing was prepared here.
 */
export function imageOf(name: string): string {
  const lines = existsSync(list) ? readFileSync(list, 'utf8').split('\n') : [];
  return lines.find((line) => line.startsWith(`${name}:`)) ?? `${name}:dev`;
}

/** The gateway under test. Its tag chooses the nginx. */
export const gatewayImage = process.env.MESHGATE_NGINX_IMAGE ?? imageOf('meshgate/gateway');

/** nginx as Debian packages it, with njs and nothing of the gateway. */
export const bareImage = imageOf('meshgate/test-bare');

/** The same with curl, and with Node and npm in /opt/node: the machine of a reader who follows a guide. */
export const newcomerImage = imageOf('meshgate/test-newcomer');

/** Services of test/services/, `node /srv/NAME.mjs`. */
export const nodeImage = process.env.MESHGATE_NODE_IMAGE ?? imageOf('meshgate/test-node');

/** Debian's Chromium, DevTools on port 9222. */
export const chromiumImage = imageOf('meshgate/test-chromium');

/** Keycloak over TLS on port 8443. */
export const keycloakImage = imageOf('meshgate/test-keycloak');
export const wikiImage = imageOf('meshgate/test-wiki');

export const etcdImage = imageOf('meshgate/test-etcd');

/** OpenLDAP over TLS on port 1636. */
export const ldapImage = imageOf('meshgate/test-ldap');

/** kube-apiserver, etcd, kubectl, pilot-discovery and our SDS server. */
export const meshImage = imageOf('meshgate/test-mesh');

/** Traefik and Caddy. */
export const ingressImage = imageOf('meshgate/test-ingress');

export const envoyImage = imageOf('meshgate/test-envoy');

/** Envoy keeps its log for ten seconds unless told otherwise. */
export const envoyCommand: readonly string[] = [
  ...['envoy', '-c', '/etc/envoy/envoy.yaml', '--disable-hot-restart', '--file-flush-interval-msec', '20'],
];
