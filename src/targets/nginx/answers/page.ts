import { TO_PAGE } from '../../../base/internal-headers.ts';
import { type ReasonCode, reasons } from '../../../base/reasons.ts';
import { CALLBACK_PATH, HANDOVER_PATH, PAGE_PATH, SIGNIN_PATH } from '../../../session/names.ts';
import type { Context, HostContext } from '../render-context.ts';
import { forgottenReports } from '../route/hide.ts';
import { EVERYTHING } from '../server/controller.ts';
import { addCookies, hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, line, regex, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { checkSocket } from '../upstream/upstream-blocks.ts';
import { fromHandler, handlerHost, toHandler } from './js-handler.ts';
import { refusesUnknown, repeatedAnswer, unknown } from './problem-files.ts';

/** The `Vary` header with the request headers on which the gateway's own responses depend. */
export const vary = conf`add_header Vary "Accept, Cookie, Sec-Fetch-Dest, Sec-Fetch-Mode" always;`;

/** The maps that select the location for a refusal of the check. */
export function pageMaps(context: Context): readonly Directive[] {
  if (!hasSessions(context)) return [];
  return conf`
    # How to answer a rejected request: a navigation goes to the sign-in or gets a page; others get problem+json.
    map $meshgate_navigation $meshgate_refuse_as {
      default @meshgate_refuse;
      "get" $meshgate_refuse_get;
      "post" @meshgate_page;
    }
    map $meshgate_signin $meshgate_refuse_get { "" @meshgate_page; default @meshgate_signin; }
    # A refusal by nginx itself gets a page, too, if the URL contains a code or a ticket: the page uses it up.
    map $request_uri $meshgate_answer_of { default ""; ${regex('~', `^(?:${CALLBACK_PATH}[/?]|${HANDOVER_PATH}\\?)`.replaceAll('.', '\\.'))} 1; }
    map $meshgate_navigation$meshgate_answer_of $meshgate_paged { "" ""; default 1; }
    map $meshgate_answer_of $meshgate_answer_cookies { "" ""; default $meshgate_cookie_signin; }
  `;
}

/** The refusal by nginx itself, where people sign in: a page instead of problem+json. It is for page requests, and for
 * answers to a sign-in however they arrive. No other page can read the URL of a page, or show it in a frame. */
export const orPage = (reason: ReasonCode): readonly Directive[] => conf`
  if ($meshgate_paged) {
    set $meshgate_status ${reasons[reason].status};
    set $meshgate_reason ${reason};
    rewrite ^ ${PAGE_PATH}${reason}? last;
  }
`;

/** The location for all paths of a host that no route covers. */
export const noRoute = (context: Context, { sessions }: HostContext): readonly Directive[] => conf`
  location ${context.options.inController ? EVERYTHING : ['^~', '/']} {
    ${sessions && orPage('route_unknown')}
    ${refusesUnknown}
  }
`;

/** The locations that refuse page requests, for servers of hosts where people sign in. The first sends them to the
 * sign-in with their URL, if a sign-in may help. Named locations keep the method of the request, which the log needs. */
export const pageLocations = conf`
  location @meshgate_signin {
    add_header Cache-Control no-store always;
    add_header Referrer-Policy no-referrer always;
    ${forgottenReports}
    ${vary}
    ${addCookies}
    // The URL is last and unchanged, so that everything in it belongs to the parameter.
    return 303 ${SIGNIN_PATH}?$meshgate_signin&to=$request_uri;
  }
  location @meshgate_page { rewrite ^ ${PAGE_PATH}$meshgate_reason? last; }
`;

/** What the check or nginx said about the request, as headers for the page. */
const refused: readonly Directive[] = (
  [
    [TO_PAGE.status, 'meshgate_status'],
    [TO_PAGE.detail, 'meshgate_detail'],
    [TO_PAGE.route, 'meshgate_route'],
    [TO_PAGE.signin, 'meshgate_signin'],
    [TO_PAGE.target, 'request_uri'],
    [TO_PAGE.user, 'meshgate_user'],
  ] as const
).map(([name, from]) => line('proxy_set_header', name, variable(from)));

/** The page of a refusal, which the sign-in's JavaScript makes. If this fails, the client gets problem+json. The
 * location is not `internal`: that would need an error page for its status 404, which would also replace the page for
 * other responses with 404. */
const page = (context: Context): readonly Directive[] => conf`
  auth_request off;
  # The rejected URL may contain a code of the sign-in.
  error_log /dev/null emerg;
  error_page 413 500 502 504 = @meshgate_refuse;
  default_type application/problem+json;
  # A client requested this path itself: nothing was rejected.
  if ($meshgate_reason = "" ) { ${unknown} }
  proxy_pass http://unix:${checkSocket(context.options)}:${PAGE_PATH};
  proxy_method GET;
  ${toHandler()}
  ${refused}
  proxy_set_header Cookie $meshgate_answer_cookies;
  // The body of a form is not stored. nginx streams it to the location that discards it.
  client_max_body_size 0;
  proxy_request_buffering off;
  ${fromHandler}
  ${repeatedAnswer(context)}
  add_header Retry-After $meshgate_retry_after always;
  ${vary}
  ${addCookies}
`;

/** The file of the location that makes pages. */
export const pageFile = (context: Context): ConfFile => [
  'page.conf',
  page(context),
  'The page that browsers get for a rejected request.',
];

/** The location that makes pages, in the server of a host where people sign in. */
export const pageLocation = (context: Context, host: HostContext): readonly Directive[] => conf`
  # The page for rejected navigations.
  location ^~ ${PAGE_PATH} {
    ${included(context, 'page.conf')}
    ${handlerHost(host)}
  }
`;
