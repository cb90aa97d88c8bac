/** The gateway under test. Its tag chooses the nginx. */
export const gatewayImage = process.env.MESHGATE_NGINX_IMAGE ?? 'meshgate/gateway:dev';

/** Services of test/services/, `node /srv/NAME.mjs`. */
export const nodeImage = process.env.MESHGATE_NODE_IMAGE ?? 'meshgate/test-node:dev';

/** Debian's Chromium, DevTools on port 9222. */
export const chromiumImage = 'meshgate/test-chromium:dev';

/** Keycloak over TLS on port 8443. */
export const keycloakImage = 'meshgate/test-keycloak:dev';

export const etcdImage = 'meshgate/test-etcd:dev';

export const envoyImage = 'meshgate/test-envoy:dev';

/** Envoy keeps its log for ten seconds unless told otherwise. */
export const envoyCommand: readonly string[] = [
  ...['envoy', '-c', '/etc/envoy/envoy.yaml', '--disable-hot-restart', '--file-flush-interval-msec', '20'],
];
