import { isWildcard } from '../../../base/host-name.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS, SESSION_COOKIE } from '../../../session/names.ts';
import { OWN_PREFIX } from '../../../session/own-cookies.ts';
import { MARKED, namesText } from '../../../session/service-cookies.ts';
import { allHosts, type Context, type HostContext } from '../render-context.ts';
import { type Arg, conf, type Directive, key, line, literal, regex, template, variable } from '../text/directive.ts';

/** Whether people sign in at any host. */
export const hasSessions = (context: Pick<Context, 'hosts' | 'signinHost'>): boolean =>
  allHosts(context).some(({ sessions }) => sessions);

/** The name of a host. For a wildcard host it is the requested name, which nginx has checked. */
export const hostNameArg = ({ host }: HostContext) => (isWildcard(host.name) ? variable('host') : literal(host.name));

/** Adds the cookies of the check to a response of the gateway. */
export const addCookies = conf`add_header Set-Cookie $meshgate_set_cookie always;`;

/** Adds the cookies of the check to a service's response, which proxies must then not store. nginx reads the variable
 * before it adds the header, and after it has removed the service's own lines for such cookies. */
export const setCookieBeside = conf`
  add_header Set-Cookie $meshgate_set_cookie_beside always;
  add_header Cache-Control $meshgate_cache_for always;
`;

/** A second protection, in case {@link ownCookies} fails. If a service sets a cookie with the name of a gateway cookie,
 * the cookie loses `Secure`, so that browsers reject it (RFC 6265bis section 4.1.3.2). nginx reads attributes only
 * between spaces, and has no such directive for gRPC. */
export const refusedCookies = conf`proxy_cookie_flags ${regex('~', `^\\s*${OWN_PREFIX}`)} nosecure;`;

// nginx hides the gateway's cookies from services, and separates them from each other, by the beginning of their names.
if (![SESSION_COOKIE, ATTEMPT_COOKIE].every((name) => new RegExp(`^${OWN_PREFIX}`).test(name)))
  throw new Error('the name of a gateway cookie does not begin with the prefix');

/** The JavaScript for cookies of services, and for responses without a final status. It runs only if the maps below find
 * such a cookie. */
export const ownCookies = (context: Context): readonly Directive[] => conf`
  js_import meshgate_cookies from cookies.js;
  js_set $meshgate_ended meshgate_cookies.ended;
  ${
    hasSessions(context) &&
    conf`
      js_set $meshgate_cookies_kept meshgate_cookies.kept;
      js_set $meshgate_cookies_passed meshgate_cookies.passed;
    `
  }
`;

/** The indexes of the runs of gateway cookies. A browser has at most one session and a number of attempts, and other
 * cookies may stand between any two of these cookies. */
const RUNS = [...Array(MAX_ATTEMPTS + 2).keys()];

/** The `Cookie` header without the gateway's own cookies. */
export const otherCookies: Arg = template(...RUNS.map((i) => variable(`meshgate_k${i}`)));

/** Matches the cookies of a request as alternating runs of the gateway's cookies and of others. The expression never
 * backtracks, however long the line is. Each run includes the separators before it; only the first run of the gateway
 * includes those after it. */
const LINE = RUNS.reduce(
  (source, i) =>
    i === 0
      ? `\\s*+(?<meshgate_o0>(?:${OWN_PREFIX}[^;]*+(?:;\\s*+|$))*+)` +
        `(?<meshgate_k0>(?:(?!${OWN_PREFIX})[^;]*+(?:;\\s*+(?!${OWN_PREFIX})[^;]*+)*+)?+)`
      : `${source}(?<meshgate_o${i}>(?:;\\s*+${OWN_PREFIX}[^;]*+)*+)(?<meshgate_k${i}>(?:;\\s*+(?!${OWN_PREFIX})[^;]*+)*+)`,
  '',
);

/** The gateway's cookies of a line. */
const ownRuns = conf`${regex('~*', `^${LINE}$`)} ${template(...RUNS.map((i) => variable(`meshgate_o${i}`)))};`;

/** Matches the first and the last session of a line, however many cookies it has. The check refuses two. */
const SESSIONS =
  `(?:^|;)\\s*+(?<meshgate_session1>${SESSION_COOKIE}=[^;]*+)` +
  `(?:.*;\\s*+(?<meshgate_session2>${SESSION_COOKIE}=[^;]*+))?+`;

/** The names of session cookies in the policy, for a regular expression; undefined if no service names one. */
function sessionCookies({ services }: Policy): string | undefined {
  const names = new Set(Object.values(services).flatMap((service) => service.sessionCookies ?? []));
  return names.size === 0 ? undefined : `(?:${[...names].map((name) => name.replaceAll('.', '\\.')).join('|')})=`;
}

function cookieMaps({ policy }: Context): readonly Directive[] {
  const named = sessionCookies(policy);
  const services = Object.values(policy.services).filter((service) => service.sessionCookies !== undefined);
  return conf`
  # Cookies of the gateway go to the check, others to the service. Of a line with more cookies than a browser sends, only the session goes to the check.
  map $http_cookie $meshgate_cookie_in {
    default "";
    "" "";
    ${ownRuns}
    ${regex('~', SESSIONS)} ${template(variable('meshgate_session1'), '; ', variable('meshgate_session2'))};
  }
  // If there are too many cookies, the sign-in receives all of them, because it deletes the surplus attempts.
  map $http_cookie $meshgate_cookie_signin { default ""; "" ""; ${ownRuns} ${regex('~*', OWN_PREFIX)} $http_cookie; }
  // Services receive the others, but no session cookie that they set for another caller.
  map $meshgate_cookie_in $meshgate_cookie_other { default ${otherCookies}; }
  map $http_cookie $meshgate_cookie_to {
    default $meshgate_cookie_other;
    "" "";
    ${regex('~', MARKED)} $meshgate_cookies_passed;
    ${named && conf`${regex('~', `(?:^|[ ;])${named}`)} $meshgate_cookies_passed;`}
  }
  ${
    services.length > 0 &&
    conf`
      map $meshgate_service $meshgate_session_cookies {
        default "";
        ${services.map(({ name, sessionCookies = [] }) => line(key(name), literal(namesText(sessionCookies))))}
      }
    `
  }
  # A service cannot set cookies of the gateway: JavaScript removes them from the service's response, and marks session cookies.
  map $upstream_http_set_cookie $meshgate_set_cookie_beside {
    default $meshgate_set_cookie;
    "" $meshgate_set_cookie;
    ${regex('~*', `${OWN_PREFIX}|; *httponly`)} $meshgate_cookies_kept;
    ${named && conf`${regex('~', `(?:^|[, ])${named}`)} $meshgate_cookies_kept;`}
  }
  # Cache-Control: private if the response sets a cookie of the gateway; also no-cache if it has no Cache-Control and the caller has an id or a role.
  map $upstream_http_cache_control $meshgate_cache_for { "" $meshgate_cache_caller; default $meshgate_cache_cookie; }
  // A network can give roles to anonymous callers.
  map $meshgate_user$meshgate_roles $meshgate_cache_caller { "" $meshgate_cache_cookie; default "private, no-cache"; }
  map $meshgate_set_cookie $meshgate_cache_cookie { "" ""; default private; }
`;
}

/** The maps that say whether a browser shows a page: by Fetch Metadata or, over plain HTTP, other headers. */
const navigationMaps = conf`
  # Navigations: "get" can go to the sign-in and come back; "post" is a form, which is not sent twice. Others come from scripts.
  map $http_sec_fetch_mode $meshgate_navigation {
    default "";
    "navigate" $meshgate_navigation_document;
    "" $meshgate_navigation_plain;
  }
  // A prefetch looks like a page request. Only its purpose differs.
  map $http_sec_fetch_dest$http_sec_purpose $meshgate_navigation_document {
    default "";
    "document" $meshgate_navigation_method;
  }
  map $http_accept $meshgate_navigation_plain {
    default "";
    "" "";
    "~*(^|,)[ \t]*text/html[ \t]*(;|,|$)" $meshgate_navigation_bare;
  }
  map $http_x_requested_with$http_upgrade$http_sec_purpose$http_purpose$http_sec_fetch_dest $meshgate_navigation_bare {
    default "";
    "" $meshgate_navigation_method;
  }
  map $request_method $meshgate_navigation_method { default ""; "GET" get; "HEAD" get; "POST" post; }
`;

/** The maps of a policy with sessions. */
export const sessionMaps = (context: Context) =>
  hasSessions(context) ? [...cookieMaps(context), ...navigationMaps] : [];
