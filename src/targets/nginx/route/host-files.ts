import { isWildcard } from '../../../base/host-name.ts';
import type { Inner } from '../../../policy/checked/types.ts';
import { endpoints } from '../answers/endpoints.ts';
import { noRoute, pageLocation } from '../answers/page.ts';
import { certificateLocation, hostLocation } from '../answers/problem-files.ts';
import { metadataLocations } from '../answers/resource-metadata.ts';
import type { Scene, SceneHost } from '../scene.ts';
import { controllerChecks, EVERYTHING, inOrder } from '../server/controller.ts';
import { conf, type Directive, literal, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { HOP_PATH, HOST_LOCATION, hostFile, ingressFile, innerFile } from '../text/names.ts';
import { hostHeaders } from './common-headers.ts';
import { type Door, innerDoor, outerDoor } from './door.ts';
import { type RouteFiles, routeLocations } from './location.ts';
import { modulesOf, shown, tls, verified } from './module.ts';
import { authorization, passesAny } from './service-credential.ts';
import { refusesWorkers } from './worker.ts';

/** The files with TLS settings for each ingress. Routes that lead only to one ingress share one TLS context. */
export function ingressFiles(scene: Scene): readonly ConfFile[] {
  const ingresses = new Set(scene.hosts.flatMap(({ ingress }) => ingress ?? []));
  return [...ingresses].map((ingress) => [
    ingressFile(ingress),
    modulesOf(scene.hosts).flatMap((module) => [
      ...tls(module),
      ...verified(module, literal(ingress.serverName), ingress.caFile),
      ...shown(module, variable('meshgate_cert'), variable('meshgate_key')),
    ]),
    `TLS to the ingress ${ingress.host} of ${ingress.mesh === undefined ? 'the mesh' : `mesh ${ingress.mesh}`}, for all routes that lead to it.`,
  ]);
}

/** A location around all routes of a host, with the directives that each route needs. They override the directives of
 * outer levels. No route has its own `proxy_set_header`, which would replace the inherited list. If each location
 * repeated the list, this would cost about 125 KB of nginx's memory per location, and as much of the processor's
 * cache. Only hosts where people sign in have pages for the refusals of the check. */
function around(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): readonly Directive[] {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  const shared = modulesOf([host]).flatMap((module) => [
    included(scene, module === 'grpc' ? 'proxy-grpc.conf' : 'proxy.conf'),
    ...hostHeaders(host, module, door.cookie, passesAny(scene) ? authorization(module, host.passes) : []),
  ]);
  const { inController } = scene.options;
  const routes = (inController ? inOrder(host.routes) : host.routes).flatMap(
    (route) => conf`
      # ${route.route.name} → ${route.services.map(({ name }) => name).join(', ')}
      ${routeLocations(scene, files, { host, door, exact }, route)}
    `,
  );
  return conf`
    location ${inController ? EVERYTHING : ['^~', '/']} {
      ${host.sessions ? included(scene, 'session.conf') : conf`error_page 401 = @meshgate_refuse;`}
      ${shared}
      ${host.ingress && included(scene, ingressFile(host.ingress))}
      ${routes}
      # No route of the policy covers other paths.
      ${!all && noRoute(scene, host)}
    }
  `;
}

/** The directives of a host's server. All its routes are inside one location. */
function doorConf(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): readonly Directive[] {
  const { name } = host.host;
  const oddHost = conf`
    # At a wildcard host, the client chooses the host name, which becomes part of URLs.
    if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }
  `;
  const routes = conf`
    # The routes, inside one location with the directives that they share.
    ${host.routes.length > 0 && around(scene, files, host, door)}
    ${host.routes.length === 0 && noRoute(scene, host)}
  `;
  return conf`
    ${door.server}
    ${controllerChecks(scene, host)}
    # This check rejects everything, so locations that you add here are closed.
    auth_request ${door.check}-;
    ${included(scene, 'answer.conf')}
    ${isWildcard(name) && oddHost}
    ${included(scene, 'server.conf')}
    ${included(scene, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${refusesWorkers(host)}
    ${(isWildcard(name) || scene.options.inController) && hostLocation(scene)}
    ${door.server.length > 0 && certificateLocation(scene, name)}
    # The location of the check. Clients cannot request it.
    location ^~ ${door.check} {
      ${included(scene, door.file)}
      ${door.credentials}
    }
    ${door.check !== HOP_PATH && metadataLocations(scene, host)}
    ${host.sessions && [...pageLocation(scene, host), ...endpoints(scene, host)]}
    ${routes}
  `;
}

/** The file that the `server {}` of a host includes. */
export const hostConf = (scene: Scene, files: RouteFiles, host: SceneHost): ConfFile => [
  hostFile(host.host.name),
  doorConf(scene, files, host, outerDoor(scene, host)),
  `For the server {} of ${host.host.name}.`,
];

/** The file of the host for the inner listener, where people do not sign in. */
export const innerConf = (scene: Scene, files: RouteFiles, host: SceneHost, inner: Inner): ConfFile => [
  innerFile(host.host.name),
  doorConf(scene, files, { ...host, sessions: false, passes: false }, innerDoor(scene, inner, host)),
  `For the server {} of ${host.host.name} at the inner listener.`,
];
