import { ATTEMPT_COOKIE, MAX_ATTEMPTS, SESSION_COOKIE } from '../../session/names.ts';
import { OWN_PREFIX } from '../../session/own-cookies.ts';
import {
  type Arg,
  commented,
  type Directive,
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

/** Whether somebody signs in at all. */
export const hasSessions = ({ hosts, signinHost }: Pick<Scene, 'hosts' | 'signinHost'>): boolean =>
  signinHost !== undefined || hosts.some(({ sessions }) => sessions);

/** The configured name of a host, or the one that was asked where the policy has a wildcard; nginx has checked it. */
export const hostName = ({ host }: SceneHost) => (host.name.startsWith('*') ? variable('host') : literal(host.name));

/** What the check sets in the browser, in an answer of ours. */
export const setCookie: Directive = line('add_header', 'Set-Cookie', variable('meshgate_set_cookie'), 'always');

/**
 * The same in a service's answer, which nobody on the way may keep then. The variable is
 * read before the header is added: what the service says of cookies of ours is gone by then.
 */
export const setCookieBeside: readonly Directive[] = [
  line('add_header', 'Set-Cookie', variable('meshgate_set_cookie_beside'), 'always'),
  line('add_header', 'Cache-Control', variable('meshgate_cache_for'), 'always'),
];

/**
 * For where that JavaScript fails: what a service sets by such a name is without `Secure`, so that browsers refuse it
 * (RFC 6265bis section 4.1.3.2). nginx reads attributes between blanks alone, and has no such word for calls.
 */
export const refusedCookies: Directive = line('proxy_cookie_flags', regex('~', `^\\s*${OWN_PREFIX}`), 'nosecure');

// nginx hides the gateway's cookies from services, and from each other, by how their names begin.
if (!SESSION_COOKIE.startsWith(OWN_PREFIX) || !ATTEMPT_COOKIE.startsWith(OWN_PREFIX))
  throw new Error('cookies have other names');

/** The JavaScript for answers of services that speak of a cookie of ours; no other answer runs it. */
export const ownCookies = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? [
        line('js_import', 'meshgate_cookies', 'from', 'cookies.js'),
        line('js_set', variable('meshgate_cookies_kept'), 'meshgate_cookies.kept'),
      ]
    : [];

/** Of a browser's cookies, ours are that many at most: a session, and the attempts to sign in. They may stand apart. */
const RUNS = [...Array(MAX_ATTEMPTS + 2).keys()];
const ourRun = (i: number): Part => variable(`meshgate_o${i}`);
const otherRun = (i: number): Part => variable(`meshgate_k${i}`);

/** The `Cookie` line without the gateway's own: services receive it at the outer door. */
export const otherCookies: Arg = template(...RUNS.map(otherRun));

/**
 * A line of cookies as runs of ours and of others in turn, each taken whole: nothing is tried again, however long the
 * line is. A run has its separators before it, but the first of ours behind it.
 */
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
    "Cookies. Ours go to the check, and other people's to the service: a line that is more than a browser's goes nowhere.",
    map(variable('http_cookie'), 'meshgate_cookie_in', [
      ['default', literal('')],
      [key(''), literal('')],
      [regex('~*', `^${LINE}$`), template(...RUNS.map(ourRun))],
    ]),
  ),
  // Of such a line the sign-in hears all: it ends attempts that are too many.
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
    'A service sets no cookie of ours: where its answer speaks of one, JavaScript takes those lines out. Then, our own.',
    map(variable('upstream_http_set_cookie'), 'meshgate_set_cookie_beside', [
      ['default', variable('meshgate_set_cookie')],
      [key(''), variable('meshgate_set_cookie')],
      [regex('~*', OWN_PREFIX), variable('meshgate_cookies_kept')],
    ]),
  ),
  commented(
    'An answer that sets a cookie of ours is for one browser alone, and so is what a caller with a name receives where the service says nothing of caches.',
    map(variable('meshgate_set_cookie'), 'meshgate_cache_for', [
      [key(''), variable('meshgate_cache_unsaid')],
      ['default', 'private'],
    ]),
  ),
  map(variable('upstream_http_cache_control'), 'meshgate_cache_unsaid', [
    [key(''), variable('meshgate_cache_caller')],
    ['default', literal('')],
  ]),
  // A network gives roles to callers without a name.
  map(template(variable('meshgate_user'), variable('meshgate_roles')), 'meshgate_cache_caller', [
    [key(''), literal('')],
    ['default', 'private'],
  ]),
];

/** Whether a browser shows the answer as a page: by Fetch Metadata, or, over plain HTTP, by what else it says. */
const navigationMaps: readonly Directive[] = [
  commented(
    'Navigations: "get" may go to sign-in and come back, "post" is a form, which is not sent twice. All else is a script.',
    map(variable('http_sec_fetch_mode'), 'meshgate_navigation', [
      ['default', literal('')],
      [key('navigate'), variable('meshgate_navigation_document')],
      [key(''), variable('meshgate_navigation_plain')],
    ]),
  ),
  // What is fetched beforehand looks like a navigation but for its purpose.
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
