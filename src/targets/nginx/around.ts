import type { Ingress } from '../../policy/types.ts';
import { block, commented, type Directive, line, literal, variable } from './directive.ts';
import type { Door } from './door.ts';
import { type ConfFile, included } from './files.ts';
import { modulesOf } from './grpc.ts';
import { hostHeaders } from './headers.ts';
import { type RouteFiles, routeLocations, tls } from './location.ts';
import { orPage } from './page.ts';
import { refusal } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';

const ingressName = ({ name }: Ingress) => `ingress${name === 'default' ? '' : `-${name}`}.conf` as const;

/** The files of TLS to each ingress of the mesh: one context for all routes that lead to it alone. */
export function ingressFiles(scene: Scene): readonly ConfFile[] {
  const ingresses = new Set(scene.hosts.flatMap(({ ingress }) => ingress ?? []));
  return [...ingresses].map((ingress) => [
    ingressName(ingress),
    modulesOf(scene.hosts).flatMap((module) =>
      tls(module, literal(ingress.serverName), ingress.caFile, variable('meshgate_cert'), variable('meshgate_key')),
    ),
    `TLS to the mesh's ingress ${ingress.host}, around the routes that lead to it.`,
  ]);
}

/** Where refusals of the check are spoken: a page is for browsers that sign in. */
const refused = (scene: Scene, { sessions }: SceneHost): Directive =>
  sessions ? included(scene, 'session.conf') : line('error_page', '401', '=', '@meshgate_refuse');

/**
 * One location around all routes of a host, so that they share what each of them needs: it drops what outer levels
 * say, and no route has a `proxy_set_header` of its own, which would drop the list. Written into each location, the
 * list costs nginx some 125 KB of memory a location, and as much cache.
 */
export function around(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): Directive {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  return block(
    'location',
    ['^~', '/'],
    [
      refused(scene, host),
      ...modulesOf([host]).flatMap((module) => [
        included(scene, module === 'grpc' ? 'proxy-grpc.conf' : 'proxy.conf'),
        ...hostHeaders(host, module, door.cookie),
      ]),
      ...(host.ingress ? [included(scene, ingressName(host.ingress))] : []),
      ...host.routes.flatMap((route) =>
        routeLocations(scene, files, host, door, route, exact).map((location, i) =>
          i === 0
            ? commented(`${route.route.name} → ${route.services.map(({ name }) => name).join(', ')}`, location)
            : location,
        ),
      ),
      ...(all
        ? []
        : [
            commented(
              'No route of the policy covers the rest.',
              block(
                'location',
                ['^~', '/'],
                [...(host.sessions ? orPage('route_unknown') : []), ...refusal(scene, 'route_unknown')],
              ),
            ),
          ]),
    ],
  );
}
