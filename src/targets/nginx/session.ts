import { isWildcard } from '../../host-name.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS, SESSION_COOKIE } from '../../session/names.ts';
import { OWN_PREFIX } from '../../session/own-cookies.ts';
import {
  type Arg,
  commented,
  type Directive,
  fixed,
  key,
  line,
  literal,
  map,
  type Part,
  regex,
  template,
  variable,
} from './directive.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Whether people sign in at all. */
export const hasSessions = ({ hosts, signinHost }: Pick<Scene, 'hosts' | 'signinHost'>): boolean =>
  signinHost !== undefined || hosts.some(({ sessions }) => sessions);

/** The name of a host, or for a wildcard the requested one, which nginx has checked. */
export const hostName = ({ host }: SceneHost) => (isWildcard(host.name) ? variable('host') : literal(host.name));

/** Cookies that the check sets, in a response of the gateway. */
export const setCookie: Directive = line('add_header', 'Set-Cookie', variable('meshgate_set_cookie'), 'always');

/** The same in a service's response, which must not be stored by proxies then. The variable is read before the header
 * is added, after the service's own lines for such cookies were removed. */
export const setCookieBeside: readonly Directive[] = [
  line('add_header', 'Set-Cookie', variable('meshgate_set_cookie_beside'), 'always'),
  line('add_header', 'Cache-Control', variable('meshgate_cache_for'), 'always'),
];

/** For the case that this JavaScript fails: a cookie that a service sets with such a name loses `Secure`, so that
 * browsers refuse it (RFC 6265bis section 4.1.3.2). nginx reads attributes only between blanks, and has no such
 * directive for gRPC. */
export const refusedCookies: Directive = line('proxy_cookie_flags', regex('~', `^\\s*${OWN_PREFIX}`), 'nosecure');

// nginx hides the gateway's cookies from services, and from each other, by how their names begin.
if (!SESSION_COOKIE.startsWith(OWN_PREFIX) || !ATTEMPT_COOKIE.startsWith(OWN_PREFIX))
  throw new Error('cookies have other names');

/** The JavaScript for responses of services that mention a cookie of the gateway; it runs for no other response. */
export const ownCookies = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? fixed('js_import meshgate_cookies from cookies.js; js_set $meshgate_cookies_kept meshgate_cookies.kept')
    : [];

/** Most of the gateway's cookies in a browser: a session, and the attempts to sign in. Other cookies may stand between
 * them. */
const RUNS = [...Array(MAX_ATTEMPTS + 2).keys()];
const ourRun = (i: number): Part => variable(`meshgate_o${i}`);
const otherRun = (i: number): Part => variable(`meshgate_k${i}`);

/** The `Cookie` line without the gateway's own cookies, for services at the outer listener. */
export const otherCookies: Arg = template(...RUNS.map(otherRun));

/** Matches a line of cookies as runs of the gateway's and of others in turn. Nothing is tried again, however long the
 * line is. A run has its separators before it, only the gateway's first run has them after it. */
const LINE = RUNS.reduce(
  (source, i) =>
    i === 0
      ? `\\s*+(?<meshgate_o0>(?:${OWN_PREFIX}[^;]*+(?:;\\s*+|$))*+)` +
        `(?<meshgate_k0>(?:(?!${OWN_PREFIX})[^;]*+(?:;\\s*+(?!${OWN_PREFIX})[^;]*+)*+)?+)`
      : `${source}(?<meshgate_o${i}>(?:;\\s*+${OWN_PREFIX}[^;]*+)*+)(?<meshgate_k${i}>(?:;\\s*+(?!${OWN_PREFIX})[^;]*+)*+)`,
  '',
);

const cookieMaps = ({ policy }: Scene): readonly Directive[] => [
  commented(
    'Cookies of the gateway go to the check, others to the service. A line with more cookies than a browser sends goes to neither.',
    map(variable('http_cookie'), 'meshgate_cookie_in', [
      ['default', literal('')],
      [key(''), literal('')],
      [regex('~*', `^${LINE}$`), template(...RUNS.map(ourRun))],
    ]),
  ),
  // Of such a line the sign-in receives everything: it deletes attempts that are too many.
  map(variable('meshgate_cookie_in'), 'meshgate_cookie_signin', [
    [key(''), variable('meshgate_cookie_crowd')],
    ['default', variable('meshgate_cookie_in')],
  ]),
  map(variable('http_cookie'), 'meshgate_cookie_crowd', [
    ['default', literal('')],
    [regex('~*', OWN_PREFIX), variable('http_cookie')],
  ]),
  ...(policy.gateway.inner
    ? [map(variable('meshgate_cookie_in'), 'meshgate_cookie_inside', [['default', otherCookies]] as const)]
    : []),
  commented(
    'A service cannot set cookies of the gateway: JavaScript removes them from its answer.',
    map(variable('upstream_http_set_cookie'), 'meshgate_set_cookie_beside', [
      ['default', variable('meshgate_set_cookie')],
      [key(''), variable('meshgate_set_cookie')],
      [regex('~*', OWN_PREFIX), variable('meshgate_cookies_kept')],
    ]),
  ),
  commented(
    'Cache-Control: private if the answer sets a cookie of the gateway, or if a known caller gets an answer without Cache-Control.',
    map(variable('meshgate_set_cookie'), 'meshgate_cache_for', [
      [key(''), variable('meshgate_cache_unsaid')],
      ['default', 'private'],
    ]),
  ),
  map(variable('upstream_http_cache_control'), 'meshgate_cache_unsaid', [
    [key(''), variable('meshgate_cache_caller')],
    ['default', literal('')],
  ]),
  // A network gives roles to anonymous callers.
  map(template(variable('meshgate_user'), variable('meshgate_roles')), 'meshgate_cache_caller', [
    [key(''), literal('')],
    ['default', 'private'],
  ]),
];

/** Whether a browser shows the response as a page: by Fetch Metadata, or over plain HTTP by other headers. */
const navigationMaps: readonly Directive[] = [
  commented(
    'Navigations: "get" can go to the sign-in and come back; "post" is a form, which is not sent twice. Others come from scripts.',
    map(variable('http_sec_fetch_mode'), 'meshgate_navigation', [
      ['default', literal('')],
      [key('navigate'), variable('meshgate_navigation_document')],
      [key(''), variable('meshgate_navigation_plain')],
    ]),
  ),
  // A prefetch looks like a navigation except for its purpose.
  map(template(variable('http_sec_fetch_dest'), variable('http_sec_purpose')), 'meshgate_navigation_document', [
    ['default', literal('')],
    [key('document'), variable('meshgate_navigation_method')],
  ]),
  map(variable('http_accept'), 'meshgate_navigation_plain', [
    ['default', literal('')],
    [key(''), literal('')],
    [regex('~*', '(^|,)[ \\t]*text/html[ \\t]*(;|,|$)'), variable('meshgate_navigation_bare')],
  ]),
  map(
    template(
      ...['http_x_requested_with', 'http_upgrade', 'http_sec_purpose', 'http_purpose', 'http_sec_fetch_dest'].map(
        variable,
      ),
    ),
    'meshgate_navigation_bare',
    [
      ['default', literal('')],
      [key(''), variable('meshgate_navigation_method')],
    ],
  ),
  map(variable('request_method'), 'meshgate_navigation_method', [
    ['default', literal('')],
    [key('GET'), 'get'],
    [key('HEAD'), 'get'],
    [key('POST'), 'post'],
  ]),
];

/** The maps of a policy with sessions. */
export const sessionMaps = (scene: Scene): readonly Directive[] =>
  hasSessions(scene) ? [...cookieMaps(scene), ...navigationMaps] : [];
