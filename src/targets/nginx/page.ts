import { TO_PAGE } from '../../internal-headers.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import { PAGE_PATH, SIGNIN_PATH } from '../../session/names.ts';
import {
  block,
  commented,
  type Directive,
  fixed,
  key,
  line,
  literal,
  map,
  regex,
  template,
  variable,
} from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { fromHandler, handlerHost, toHandler } from './handler.ts';
import { unknown } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';
import { hasSessions, setCookie } from './session.ts';
import { checkSocket } from './upstreams.ts';

const SIGNIN_LOCATION = '@meshgate_signin';
const PAGE_LOCATION = '@meshgate_page';
const REFUSE_LOCATION = '@meshgate_refuse';

/** The `Vary` header with the request headers on which the gateway's own responses depend. */
export const vary: Directive = line(
  'add_header',
  'Vary',
  literal('Accept, Cookie, Sec-Fetch-Dest, Sec-Fetch-Mode'),
  'always',
);

/** The maps that select the location for a refusal of the check. */
export function pageMaps(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  return [
    commented(
      'How to answer a rejected request: a navigation goes to the sign-in or gets a page; others get problem+json.',
      map(variable('meshgate_navigation'), 'meshgate_refuse_as', [
        ['default', REFUSE_LOCATION],
        [key('get'), variable('meshgate_refuse_get')],
        [key('post'), PAGE_LOCATION],
      ]),
    ),
    map(variable('meshgate_signin'), 'meshgate_refuse_get', [
      [key(''), PAGE_LOCATION],
      ['default', SIGNIN_LOCATION],
    ]),
  ];
}

/** The same selection, for `error_page`. */
export const refuseAs = variable('meshgate_refuse_as');

/** The refusal of a page request by nginx itself, on hosts where people sign in. The browser gets the page instead of
 * problem+json. */
export function orPage(reason: ReasonCode): readonly Directive[] {
  return [
    block(
      'if',
      [template('(', variable('meshgate_navigation'), ')')],
      [
        line('set', variable('meshgate_status'), String(reasons[reason].status)),
        line('set', variable('meshgate_reason'), reason),
        line('rewrite', regex('', '^'), literal(`${PAGE_PATH}${reason}?`), 'last'),
      ],
    ),
  ];
}

/** Sends page requests to the sign-in with their URL, if a sign-in may help. */
const signin: Directive = {
  ...line('location', SIGNIN_LOCATION),
  block: [
    line('add_header', 'Cache-Control', 'no-store', 'always'),
    vary,
    setCookie,
    // The URL is last and unchanged, so that everything in it belongs to `to`.
    line('return', '303', template(`${SIGNIN_PATH}?`, variable('meshgate_signin'), '&to=', variable('request_uri'))),
  ],
};

/** The named location keeps the method of the request, which the log needs. */
const toPage: Directive = {
  ...line('location', PAGE_LOCATION),
  block: [line('rewrite', regex('', '^'), template(PAGE_PATH, variable('meshgate_reason'), '?'), 'last')],
};

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
function page(scene: Scene): readonly Directive[] {
  return [
    line('auth_request', 'off'),
    commented('The rejected URL may contain a code of the sign-in.', line('error_log', '/dev/null', 'emerg')),
    line('error_page', '413', '500', '502', '504', '=', REFUSE_LOCATION),
    line('default_type', 'application/problem+json'),
    commented(
      'A client requested this path itself: nothing was rejected.',
      block('if', [template('(', variable('meshgate_reason')), '=', literal(''), literal(')')], [unknown]),
    ),
    line('proxy_pass', literal(`http://unix:${checkSocket(scene.options)}:${PAGE_PATH}`)),
    line('proxy_method', 'GET'),
    ...toHandler,
    ...refused,
    // The body of a form is not stored. nginx streams it to the location that discards it.
    ...fixed('client_max_body_size 0; proxy_request_buffering off'),
    ...fromHandler,
    line('add_header', 'Retry-After', variable('meshgate_retry_after'), 'always'),
    vary,
    setCookie,
  ];
}

/** The locations that refuse page requests, for servers of hosts where people sign in. */
export const pageLocations: readonly Directive[] = [signin, toPage];

/** The file of the location that makes pages. */
export const pageFile = (scene: Scene): ConfFile => [
  'page.conf',
  page(scene),
  'The page that browsers get for a rejected request.',
];

/** The location that makes pages, in the server of a host where people sign in. */
export const pageLocation = (scene: Scene, host: SceneHost): Directive =>
  commented(
    'The page for rejected navigations.',
    block('location', ['^~', literal(PAGE_PATH)], [included(scene, 'page.conf'), handlerHost(host)]),
  );
