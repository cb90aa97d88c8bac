import { TO_CHECK } from '../../../base/internal-headers.ts';
import { requestFacts } from '../../../rules/table/table.ts';
import { allHosts, type Context, type HostContext } from '../render-context.ts';
import { conf, type Directive } from '../text/directive.ts';
import { hasSessions } from './sessions.ts';

/** Whether a browser automatically adds a credential to requests for a host, whichever page sends them. Such
 * credentials are a session cookie, a client certificate that a route accepts, a network that gives a role, or what the
 * browser has cached for the service of a route. */
function isAmbient({ policy }: Pick<Context, 'policy'>, { sessions, routes }: HostContext): boolean {
  if (sessions || (requestFacts(policy)?.networks.length ?? 0) > 0) return true;
  return routes.some(({ route }) => route.accept.includes('certificate') || route.serviceCredential !== undefined);
}

/** Sends the origin of a request to the check, with which the check recognises the page that sends the request. On
 * hosts where people do not sign in, nginx sends only origins other than the host's own. On hosts where people sign in,
 * check/server.ts sends all origins, because the policy decides. */
export const shownOrigin = (context: Context, host: HostContext): readonly Directive[] =>
  isAmbient(context, host) && !host.sessions ? conf`proxy_set_header ${TO_CHECK.origin} $meshgate_origin_other;` : [];

/** The maps for the origin of a request. They are evaluated only if the method could change something. */
export function originMaps(context: Context): readonly Directive[] {
  if (!allHosts(context).some((host) => isAmbient(context, host))) return [];
  // An ingress may not pass these headers on.
  const isLost = context.options.sidecar && hasSessions(context);
  return conf`
    # The origin of the page that sends an unsafe method or an Upgrade; "null" if the browser only says that it differs from the host's.
    map $request_method $meshgate_origin_in {
      default $meshgate_origin;
      "GET" $meshgate_origin_upgrade;
      "HEAD" $meshgate_origin_upgrade;
      "OPTIONS" $meshgate_origin_upgrade;
      "TRACE" $meshgate_origin_upgrade;
    }
    map $http_upgrade $meshgate_origin_upgrade { "" ""; default $meshgate_origin; }
    map $http_origin $meshgate_origin {
      "" $meshgate_origin_site;
      "null" $meshgate_origin_hidden;
      default $http_origin;
    }
    # A page may hide its origin. The browser still says whether it is the same origin.
    map $http_sec_fetch_site $meshgate_origin_hidden { default null; "same-origin" ""; }
    map $http_sec_fetch_site $meshgate_origin_site { default ""; "cross-site" null; "same-site" null; ${isLost && conf`"" $meshgate_origin_lost;`} }
    ${isLost && lostMap}
    ${context.hosts.some((host) => !host.sessions && isAmbient(context, host)) && otherMaps}
  `;
}

const lostMap = conf`
  # Without both headers, a request with a session does not count as one of the same origin.
  map $meshgate_cookie_in $meshgate_origin_lost { "" ""; default null; }
`;

const otherMaps = conf`
  # The same for hosts without sign-in; empty if it is the requested origin.
  map $meshgate_origin_in $meshgate_origin_other { "" ""; default $meshgate_origin_strange; }
  // The expression matches a page of the requested host, by the name and the port of the request. A request over plain
  // HTTP may come from a proxy that terminates TLS in front of the gateway.
  map "$scheme $meshgate_origin_in $http_host" $meshgate_origin_strange {
    default $meshgate_origin_in;
    "~^(?:http https?|https https)://([^ ]+) \1$" "";
  }
`;
