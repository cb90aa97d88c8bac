import type { Ingress } from '../../policy/types.ts';
import { conf, type Directive, literal, variable } from './directive.ts';
import type { Door } from './door.ts';
import { type ConfFile, included } from './files.ts';
import { hostHeaders } from './headers.ts';
import { type RouteFiles, routeLocations } from './location.ts';
import { modulesOf, shown, tls, verified } from './module.ts';
import { noRoute } from './page.ts';
import type { Scene, SceneHost } from './scene.ts';

const ingressName = ({ name }: Ingress) => `ingress${name === 'default' ? '' : `-${name}`}.conf` as const;

/** The files with TLS settings for each ingress. Routes that lead only to one ingress share one TLS context. */
export function ingressFiles(scene: Scene): readonly ConfFile[] {
  const ingresses = new Set(scene.hosts.flatMap(({ ingress }) => ingress ?? []));
  return [...ingresses].map((ingress) => [
    ingressName(ingress),
    modulesOf(scene.hosts).flatMap((module) => [
      ...tls(module),
      ...verified(module, literal(ingress.serverName), ingress.caFile),
      ...shown(module, variable('meshgate_cert'), variable('meshgate_key')),
    ]),
    `TLS to the ingress ${ingress.host} of the mesh, for all routes that lead to it.`,
  ]);
}

/** A location around all routes of a host, with the directives that each route needs. They override the directives of
 * outer levels. No route has its own `proxy_set_header`, which would replace the inherited list. If each location
 * repeated the list, this would cost about 125 KB of nginx's memory per location, and as much of the processor's
 * cache. Only hosts where people sign in have pages for the refusals of the check. */
export function around(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): readonly Directive[] {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  const shared = modulesOf([host]).flatMap((module) => [
    included(scene, module === 'grpc' ? 'proxy-grpc.conf' : 'proxy.conf'),
    ...hostHeaders(host, module, door.cookie),
  ]);
  const routes = host.routes.flatMap(
    (route) => conf`
      # ${route.route.name} → ${route.services.map(({ name }) => name).join(', ')}
      ${routeLocations(scene, files, host, door, route, exact)}
    `,
  );
  return conf`
    location ^~ / {
      ${host.sessions ? included(scene, 'session.conf') : conf`error_page 401 = @meshgate_refuse;`}
      ${shared}
      ${host.ingress && included(scene, ingressName(host.ingress))}
      ${routes}
      # No route of the policy covers other paths.
      ${!all && noRoute(scene, host)}
    }
  `;
}
