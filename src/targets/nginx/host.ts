import { isWildcard } from '../../host-name.ts';
import type { Inner } from '../../policy/types.ts';
import { around } from './around.ts';
import { block, commented, type Directive, line, literal, regex, template, variable } from './directive.ts';
import { type Door, innerDoor, outerDoor } from './door.ts';
import { endpoints } from './endpoints.ts';
import { type ConfFile, included } from './files.ts';
import type { RouteFiles } from './location.ts';
import { metadataLocations } from './metadata.ts';
import { CHECK_PATH, HOST_LOCATION, hostFile, innerFile } from './names.ts';
import { orPage, pageLocation } from './page.ts';
import { certificateLocation, hostLocation, refusal } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';
import { refusesWorkers } from './worker.ts';

function serverLevel(scene: Scene, host: SceneHost, door: Door): readonly Directive[] {
  return [
    ...door.server,
    commented(
      'This check rejects everything, so locations that you add here are closed.',
      line('auth_request', literal(`${door.check}-`)),
    ),
    included(scene, 'answer.conf'),
    ...(isWildcard(host.host.name)
      ? [
          commented(
            'Below a wildcard the client chooses the host name, which becomes part of URLs.',
            block(
              'if',
              [template('(', variable('meshgate_odd_host'), ')')],
              [line('rewrite', regex('', '^'), literal(`${HOST_LOCATION}?`), 'last')],
            ),
          ),
        ]
      : []),
    included(scene, 'server.conf'),
  ];
}

/** The location that leads to the check. */
const hop = (scene: Scene, { check, file, credentials }: Door): Directive =>
  block('location', ['^~', literal(check)], [included(scene, file), ...credentials]);

/** The location for all paths that are not below `/.meshgate/`. */
function routes(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): Directive {
  if (host.routes.length > 0)
    return commented(
      'The routes, inside one location that holds what they have in common.',
      around(scene, files, host, door),
    );
  const page = host.sessions ? orPage('route_unknown') : [];
  return block('location', ['^~', '/'], [...page, ...refusal(scene, 'route_unknown')]);
}

function doorConf(scene: Scene, files: RouteFiles, host: SceneHost, door: Door): readonly Directive[] {
  return [
    ...serverLevel(scene, host, door),
    included(scene, host.sessions ? 'refuse-pages.conf' : 'refuse.conf'),
    ...refusesWorkers(host),
    ...(isWildcard(host.host.name) ? [hostLocation(scene)] : []),
    ...(door.server.length > 0 ? [certificateLocation(scene, host.host.name)] : []),
    commented('The way to the check. Clients cannot request it.', hop(scene, door)),
    ...(door.check === CHECK_PATH ? metadataLocations(scene, host) : []),
    ...(host.sessions ? [pageLocation(scene, host), endpoints(scene, host)] : []),
    routes(scene, files, host, door),
  ];
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
