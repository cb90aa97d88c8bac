import { block, commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import { WORKER_LOCATION } from './names.ts';
import { inside, refusal } from './problem.ts';
import type { Scene, SceneHost, SceneRoute } from './scene.ts';
import { hasSessions } from './session.ts';

/* A service worker sees every request of the pages in its scope, and the responses with which a provider returns to the
 * gateway. A browser says when it fetches a worker's script (Service Workers, section "Update", step 7.3). */

/** Whether the request is for the script of a service worker; only browsers say so. */
export const workerMap = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? [
        commented(
          'Service workers could read the sign-in, so nginx looks for their scripts.',
          map(variable('http_service_worker'), 'meshgate_worker', [
            [key(''), literal('')],
            ['default', '1'],
          ]),
        ),
      ]
    : [];

const allowsSome = ({ routes }: SceneHost): boolean => routes.some(({ route }) => route.serviceWorkers !== undefined);

const refused: Directive = block(
  'if',
  [template('(', variable('meshgate_worker'), ')')],
  [line('rewrite', regex('', '^'), literal(`${WORKER_LOCATION}?`), 'last')],
);

/** For the server of a host where people sign in and no route allows workers. */
export const refusesWorkers = (host: SceneHost): readonly Directive[] =>
  host.sessions && !allowsSome(host)
    ? [commented('Reject scripts of service workers: no route allows them.', refused)]
    : [];

/** For a location of a host where another route allows them.
 *
 * @param path of the location; one without a folder belongs to the root, whatever the route allows
 */
export function refusesWorkersAt(host: SceneHost, { route }: SceneRoute, path: string): readonly Directive[] {
  if (!host.sessions || !allowsSome(host) || route.serviceWorkers === 'anywhere') return [];
  return route.serviceWorkers === 'folder' && path.lastIndexOf('/') > 0 ? [] : [refused];
}

/** The response to such a request. */
export const workerLocation = (scene: Scene): Directive =>
  block(
    'location',
    ['=', literal(WORKER_LOCATION)],
    [...inside, line('set', variable('meshgate_reason'), 'worker_refused'), ...refusal(scene, 'worker_refused')],
  );
