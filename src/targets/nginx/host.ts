import { isWildcard } from '../../host-name.ts';
import type { Inner } from '../../policy/types.ts';
import { around } from './around.ts';
import { conf, type Directive } from './directive.ts';
import { type Door, innerDoor, outerDoor } from './door.ts';
import { endpoints } from './endpoints.ts';
import { type ConfFile, included } from './files.ts';
import type { RouteFiles } from './location.ts';
import { metadataLocations } from './metadata.ts';
import { CHECK_PATH, HOST_LOCATION, hostFile, innerFile } from './names.ts';
import { noRoute, pageLocation } from './page.ts';
import { certificateLocation, hostLocation } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';
import { refusesWorkers } from './worker.ts';

/** The way to the check and the routes, inside one location that leads to all paths that are not below `/.meshgate/`. */
function doorConf(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): readonly Directive[] {
  const { name } = host.host;
  const oddHost = conf`
    # Below a wildcard the client chooses the host name, which becomes part of URLs.
    if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }
  `;
  const routes = conf`
    # The routes, inside one location that holds what they have in common.
    ${host.routes.length > 0 && around(scene, files, host, door)}
    ${host.routes.length === 0 && noRoute(scene, host)}
  `;
  return conf`
    ${door.server}
    # This check rejects everything, so locations that you add here are closed.
    auth_request ${door.check}-;
    ${included(scene, 'answer.conf')}
    ${isWildcard(name) && oddHost}
    ${included(scene, 'server.conf')}
    ${included(scene, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${refusesWorkers(host)}
    ${isWildcard(name) && hostLocation(scene)}
    ${door.server.length > 0 && certificateLocation(scene, name)}
    # The way to the check. Clients cannot request it.
    location ^~ ${door.check} {
      ${included(scene, door.file)}
      ${door.credentials}
    }
    ${door.check === CHECK_PATH && metadataLocations(scene, host)}
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
  doorConf(scene, files, { ...host, sessions: false }, innerDoor(scene, inner, host)),
  `For the server {} of ${host.host.name} at the inner listener.`,
];
