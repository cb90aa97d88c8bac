/** A sidecar, and real ingresses that ask it, each configured by the files that `render --target ext-authz` writes. */
import { parse } from 'yaml';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type Box,
  bareImage,
  envoyCommand,
  envoyImage,
  Gateway,
  ingressImage,
  render,
  type Stage,
  startContainer,
  startGateway,
  type Target,
} from '../harness/index.ts';
import { markerPath } from '../harness/logs.ts';

const PORT = 8000;
const SERVICE = 'http://wiki:8080';

/** A sidecar that is asked through an ingress: requests go to the ingress, and the log is the sidecar's. */
export class Behind extends Gateway {
  readonly ingress: Box;
  readonly #sidecar: Gateway;

  constructor(sidecar: Gateway, ingress: Box) {
    super(sidecar.box, sidecar.policy, '');
    this.ingress = ingress;
    this.#sidecar = sidecar;
  }

  override target(host: string): Target {
    return { host: this.ingress.host, port: PORT, tls: false, name: host };
  }

  /** Markers of the log are for the sidecar. */
  override sendRaw(...[host, bytes, options]: Parameters<Gateway['sendRaw']>): ReturnType<Gateway['sendRaw']> {
    const marker = markerPath(0).slice(0, -1);
    return String(bytes).startsWith(`POST ${marker}`)
      ? this.#sidecar.sendRaw(host, bytes, options)
      : super.sendRaw(host, bytes, options);
  }
}

export type Files = Readonly<Record<string, string>>;

/** The files that `render` writes for ingresses, where the sidecar has this name. */
export const ingressFilesOf = async (policy: string, name = 'sidecar'): Promise<Files> =>
  Object.fromEntries(
    Object.entries(await render('ext-authz', policy)).map(([path, text]) => [
      path,
      text.replaceAll('meshgate.meshgate.svc.cluster.local', name),
    ]),
  );

/** Starts the image as a sidecar. */
export const startSidecar = (
  stage: Stage,
  policy: string,
  ring = newRing(Date.now() / 1000),
  mutate?: (files: Files) => Files,
) =>
  startGateway(stage, {
    policy,
    alias: 'sidecar',
    env: { MESHGATE_MODE: 'sidecar' },
    files: { '/run/secrets/session.jwks': ring },
    ...(mutate && { mutate }),
  });

/** How to run each ingress with rendered files. */
export const ingresses = {
  nginx: (stage: Stage, files: Files, change: (conf: string) => string = (conf) => conf) =>
    startContainer(stage, {
      image: bareImage,
      alias: 'nginx',
      files: {
        '/etc/nginx/nginx.conf': change(`
pid /tmp/nginx.pid; error_log stderr notice;
events {}
http {
  access_log off;
  server { listen ${PORT} default_server; server_name wiki.test board.test;
    include /etc/meshgate/server.conf;
    location / { include /etc/meshgate/location.conf; proxy_set_header Host $host; proxy_pass ${SERVICE};
      location /public/inside/ { proxy_set_header Upgrade $http_upgrade; proxy_pass ${SERVICE}; }
    }
  }
}`),
        '/etc/meshgate/server.conf': files['ingress/nginx-server.conf'] as string,
        '/etc/meshgate/location.conf': files['ingress/nginx-location.conf'] as string,
      },
      ready: /start worker process/,
    }),
  traefik: (stage: Stage, files: Files) => {
    const { http } = parse(files['ingress/traefik-dynamic.yaml'] as string);
    for (const router of Object.values<Record<string, unknown>>(http.routers)) delete router.tls;
    http.routers.wiki = { rule: 'PathPrefix(`/`)', service: 'wiki', middlewares: ['meshgate'] };
    http.services.wiki = { loadBalancer: { servers: [{ url: SERVICE }] } };
    return startContainer(stage, {
      image: ingressImage,
      alias: 'traefik',
      files: { '/etc/traefik/dynamic.yaml': JSON.stringify({ http }) },
      command: [
        ...['traefik', `--entryPoints.web.address=:${PORT}`, '--log.level=INFO'],
        ...['--providers.file.filename=/etc/traefik/dynamic.yaml', '--global.checkNewVersion=false'],
      ],
      ready: /Starting provider \*file|provider aggregator/,
    });
  },
  caddy: (stage: Stage, files: Files) =>
    startContainer(stage, {
      image: ingressImage,
      alias: 'caddy',
      files: {
        '/etc/caddy/Caddyfile': `{
	admin off
	auto_https off
}
${files['ingress/Caddyfile']}
:${PORT} {
	import meshgate_own
	route {
		import meshgate_check
		reverse_proxy ${SERVICE} {
			import meshgate_headers
		}
	}
}
`,
      },
      env: { HOME: '/tmp', XDG_DATA_HOME: '/tmp', XDG_CONFIG_HOME: '/tmp' },
      command: ['caddy', 'run', '--config', '/etc/caddy/Caddyfile'],
      ready: /serving initial configuration/,
    }),
  envoy: (stage: Stage, files: Files) => {
    const part = (name: string) => parse(files[`ingress/envoy-${name}.yaml`] as string);
    const [http_filters, routes, clusters] = [part('filters'), part('routes'), part('clusters')];
    const address = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });
    const router = {
      name: 'envoy.filters.http.router',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
    };
    const wiki = {
      name: 'wiki',
      type: 'STRICT_DNS',
      load_assignment: {
        cluster_name: 'wiki',
        endpoints: [{ lb_endpoints: [{ endpoint: { address: address('wiki', 8080) } }] }],
      },
    };
    const manager = {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'in',
      use_remote_address: true,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      http_filters: [...http_filters, router],
      route_config: {
        virtual_hosts: [
          { name: 'all', domains: ['*'], routes: [...routes, { match: { prefix: '/' }, route: { cluster: 'wiki' } }] },
        ],
      },
    };
    const listener = {
      address: address('0.0.0.0', PORT),
      filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
    };
    const bootstrap = { static_resources: { listeners: [listener], clusters: [...clusters, wiki] } };
    return startContainer(stage, {
      image: envoyImage,
      alias: 'envoy',
      files: { '/etc/envoy/envoy.yaml': JSON.stringify(bootstrap) },
      command: [...envoyCommand],
      ready: /starting main dispatch loop/,
    });
  },
} as const;
