import { TO_CHECK } from '../../internal-headers.ts';
import { requestFacts } from '../../rules/table.ts';
import { commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Whether a browser automatically adds a credential to requests for a host, whichever page sends them. Such
 * credentials are a session cookie, a client certificate that a route accepts, or a network that gives a role. */
function isAmbient({ policy }: Pick<Scene, 'policy'>, { sessions, routes }: SceneHost): boolean {
  if (sessions || (requestFacts(policy)?.networks.length ?? 0) > 0) return true;
  return routes.some(({ route }) => route.accept.includes('certificate'));
}

const isAmbientSomewhere = (scene: Scene): boolean =>
  [...scene.hosts, ...(scene.signinHost ? [scene.signinHost] : [])].some((host) => isAmbient(scene, host));

/** Sends the origin of a request to the check, with which the check recognises the page that sends the request. On
 * hosts where people do not sign in, it says whether the origin is the host's own. On hosts where people sign in,
 * check.ts sends all origins, because the policy decides. */
export const shownOrigin = (scene: Scene, host: SceneHost): readonly Directive[] =>
  isAmbient(scene, host) && !host.sessions
    ? [line('proxy_set_header', TO_CHECK.origin, variable('meshgate_origin_other'))]
    : [];

/** The maps for the origin of a request. They are evaluated only if the method could change something. */
export function originMaps(scene: Scene): readonly Directive[] {
  if (!isAmbientSomewhere(scene)) return [];
  return [
    commented(
      'The origin of the page that sends an unsafe method or an Upgrade; "null" if the browser says only that it is another one.',
      map(variable('request_method'), 'meshgate_origin_in', [
        ['default', variable('meshgate_origin')],
        ...['GET', 'HEAD', 'OPTIONS', 'TRACE'].map(
          (method) => [key(method), variable('meshgate_origin_upgrade')] as const,
        ),
      ]),
    ),
    map(variable('http_upgrade'), 'meshgate_origin_upgrade', [
      [key(''), literal('')],
      ['default', variable('meshgate_origin')],
    ]),
    map(variable('http_origin'), 'meshgate_origin', [
      [key(''), variable('meshgate_origin_site')],
      [key('null'), variable('meshgate_origin_hidden')],
      ['default', variable('http_origin')],
    ]),
    commented(
      'A page may hide its origin. The browser still says whether it is the same origin.',
      map(variable('http_sec_fetch_site'), 'meshgate_origin_hidden', [
        ['default', 'null'],
        [key('same-origin'), literal('')],
      ]),
    ),
    map(variable('http_sec_fetch_site'), 'meshgate_origin_site', [
      ['default', literal('')],
      [key('cross-site'), 'null'],
      [key('same-site'), 'null'],
    ]),
    ...(scene.hosts.some((host) => !host.sessions && isAmbient(scene, host)) ? otherMaps : []),
  ];
}

/** Matches a page of the requested host, by the name and the port of the request. A request over plain HTTP may come
 * from a proxy that terminates TLS in front of the gateway. */
const OWN = '^(?:http https?|https https)://([^ ]+) \\1$';

const otherMaps: readonly Directive[] = [
  commented(
    'The same for hosts without sign-in, unless it is the requested origin.',
    map(variable('meshgate_origin_in'), 'meshgate_origin_other', [
      [key(''), literal('')],
      ['default', variable('meshgate_origin_strange')],
    ]),
  ),
  map(
    template(variable('scheme'), ' ', variable('meshgate_origin_in'), ' ', variable('http_host')),
    'meshgate_origin_strange',
    [
      ['default', variable('meshgate_origin_in')],
      [regex('~', OWN), literal('')],
    ],
  ),
];
