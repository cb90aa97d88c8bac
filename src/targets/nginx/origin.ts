import { TO_CHECK } from '../../internal-headers.ts';
import { requestFacts } from '../../rules/table.ts';
import { commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Whether a browser adds a credential by itself to requests for a host, whichever page sends them: a session cookie, a
 * client certificate that a route accepts, or a network that gives a role. */
function isAmbient({ policy }: Pick<Scene, 'policy'>, { sessions, routes }: SceneHost): boolean {
  if (sessions || (requestFacts(policy)?.networks.length ?? 0) > 0) return true;
  return routes.some(({ route }) => route.accept.includes('certificate'));
}

const isAmbientSomewhere = (scene: Scene): boolean =>
  [...scene.hosts, ...(scene.signinHost ? [scene.signinHost] : [])].some((host) => isAmbient(scene, host));

/** The headers by which a host's check recognises the page that sends a request. Where people sign in, the policy
 * determines the host's own origin; elsewhere the origin that a browser says it requested counts as well. */
export function shownOrigin(scene: Scene, host: SceneHost): readonly Directive[] {
  if (!isAmbient(scene, host)) return [];
  const origin = variable(host.sessions ? 'meshgate_origin_in' : 'meshgate_origin_other');
  return [line('proxy_set_header', TO_CHECK.origin, origin)];
}

/** The origin of a request, if its method could change something. */
export function originMaps(scene: Scene): readonly Directive[] {
  if (!isAmbientSomewhere(scene)) return [];
  return [
    commented(
      'The origin behind an unsafe method or an Upgrade; "null" where the browser says that it is another and no more.',
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
      "A page that hides its origin from everyone is still known to be the host's own, by what no page can say itself.",
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

/** A page of the requested host, by the name and port of the request. Plain HTTP may be TLS at a proxy before the
 * gateway. */
const OWN = '^(?:http https?|https https)://([^ ]+) \\1$';

const otherMaps: readonly Directive[] = [
  commented(
    'The same where nobody signs in, unless it is the origin that was asked.',
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
