import { insideLocation } from '../answers/problem-files.ts';
import type { Context, HostContext, RouteContext } from '../render-context.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive } from '../text/directive.ts';
import { WORKER_LOCATION } from '../text/names.ts';

/* A service worker sees every request of the pages in its scope. This includes the responses with which a provider
 * sends the browser back to the gateway. A browser marks requests for the script of a worker (Service Workers, section
 * "Update", step 7.3). */

/** Whether the request is for the script of a service worker. Only browsers mark such requests. */
export const workerMap = (context: Context): readonly Directive[] =>
  hasSessions(context)
    ? conf`
        # Service workers could read the sign-in, so nginx recognises requests for their scripts.
        map $http_service_worker $meshgate_worker { "" ""; default 1; }
      `
    : [];

const allowsSome = ({ routes }: HostContext): boolean => routes.some(({ route }) => route.serviceWorkers !== undefined);

const refused = conf`if ($meshgate_worker) { rewrite ^ ${WORKER_LOCATION}? last; }`;

/** Refuses service workers in the server of a host where people sign in and no route allows them. */
export const refusesWorkers = (host: HostContext): readonly Directive[] => conf`
  # Reject scripts of service workers: no route allows them.
  ${host.sessions && !allowsSome(host) && refused}
`;

/** Refuses service workers in a location, if another route of the host allows them.
 * @param path the path of the location. If the path is not in a folder, its folder is the root, and workers are refused
 * whatever the route allows. */
export function refusesWorkersAt(host: HostContext, { route }: RouteContext, path: string): readonly Directive[] {
  if (!host.sessions || !allowsSome(host) || route.serviceWorkers === 'anywhere') return [];
  return route.serviceWorkers === 'folder' && path.lastIndexOf('/') > 0 ? [] : refused;
}

/** The response to a request for the script of a refused worker. */
export const workerLocation = (context: Context): readonly Directive[] =>
  insideLocation(context, WORKER_LOCATION, 'worker_refused', conf`set $meshgate_reason worker_refused;`);
