import { TO_INGRESS } from '../../base/internal-headers.ts';
import { MAX_COOKIE_BYTES } from '../../base/limits.ts';
import { refusal, TITLES } from '../nginx/answers/problem-files.ts';
import type { Context } from '../nginx/render-context.ts';
import { bodyBuffer, ignoresAccel, onceMore, timeouts, unstored } from '../nginx/route/module.ts';
import { MAX_ASKED_BYTES } from '../nginx/server/strangers.ts';
import { hasSessions } from '../nginx/signin/sessions.ts';
import { conf, type Directive, key, line, literal, regex, template, variable } from '../nginx/text/directive.ts';
import { type ConfFile, included } from '../nginx/text/files.ts';
import { answerHeader, BAD_LOCATION } from '../nginx/text/names.ts';
import { answerNames, removedNames } from './check-answer.ts';
import { ASKED_UPSTREAM } from './checks.ts';
import { BEHIND_PREFIX, type CheckForm, forms, HOST_VARIABLE } from './forms.ts';

/* The listener where an ingress asks. It reads the method, the target and the host of the client's request from the
 * check, and sends a request with exactly these to the servers of the checks. */

/** The address of the client in `X-Forwarded-For`, if a trusted proxy sent the check. Otherwise no address is known. */
function addressMap({ policy }: Context): readonly Directive[] {
  const ranges = policy.gateway.trustedProxies;
  return conf`
    # The address of the client, if a trusted proxy says it.
    geo $realip_remote_addr $meshgate_ask_proxy {
      default "";
      ${ranges.flatMap((range) => conf`${{ kind: 'literal', text: range } as const} 1;`)}
    }
    map $meshgate_ask_proxy$http_x_forwarded_for $meshgate_ask_address { default ""; "~^1." $remote_addr; }
  `;
}

/** The request headers that an ingress removes if the answer does not have them. Envoy reads their names from the
 * answer, so no configuration of Envoy repeats them. */
function removalMaps(context: Context): readonly Directive[] {
  const absent = answerNames(context).map((_, i) => variable(`meshgate_ask_absent_${i}`));
  return conf`
    # For Envoy: which headers of the client it removes.
    ${answerNames(context).flatMap((name, i) => conf`map ${answerHeader(name)} ${absent[i]} { default ""; "" ",${name}"; }`)}
    map "" $meshgate_ask_removed { volatile; default ${template(removedNames(context).join(','), ...absent)}; }
  `;
}

/** The maps of the listener. */
export const askMaps = (context: Context): readonly Directive[] => conf`
  # The request that an ingress asks about.
  map $http_host ${variable(HOST_VARIABLE)} { default $http_host; "" $host; }
  map $request_uri ${variable(BEHIND_PREFIX)} { default ""; "~^/envoy(?<meshgate_ask_path>/.*)$" $meshgate_ask_path; }
  // A proxy may drop Upgrade, because it is for one connection. A handshake also has other headers.
  map $http_upgrade$http_sec_websocket_key$http_sec_websocket_version $meshgate_ask_upgrade { "" ""; default websocket; }
  ${addressMap(context)}
  ${removalMaps(context)}
  ${problemMaps}
`;

/** The statuses that {@link brief} replaces by 403. */
const OTHERS = [400, 403, 404, 405, 408, 409, 411, 413, 414, 415, 421, 429, 494, 500, 501, 502, 503, 504];

/** What a refusal says in headers: its status, and its body. */
const handlerHeaders: readonly Directive[] = [
  ...conf`access_log off; # the servers of the checks wrote the log`,
  line('add_header', TO_INGRESS.status, variable('upstream_status'), 'always'),
  line('add_header', TO_INGRESS.problem, variable('meshgate_ask_problem'), 'always'),
  ...[TO_INGRESS.reason, 'Retry-After', 'Location', 'Set-Cookie', 'DPoP-Nonce'].map((name) =>
    line('add_header', name, answerHeader(name), 'always'),
  ),
  ...conf`add_header Cache-Control no-store always;`,
];

/** How a check is answered to an ingress that only understands 401 and 403. nginx itself passes `WWW-Authenticate` on,
 * but only with 401. */
const briefLocations = conf`
  location @meshgate_ask_401 {
    ${handlerHeaders}
    return 401 "";
  }
  location @meshgate_ask_403 {
    ${handlerHeaders}
    ${line('add_header', TO_INGRESS.challenge, answerHeader('WWW-Authenticate'), 'always')}
    return 403 "";
  }
`;

/** The maps for the body of such a refusal. */
const problemMaps = conf`
  # The body of a refusal, for a header.
  map $upstream_status $meshgate_ask_title {
    default Forbidden;
    ${Object.entries(TITLES).map(([status, title]) => line(key(status), literal(title)))}
  }
  map ${answerHeader(TO_INGRESS.problem)} $meshgate_ask_problem {
    "" "";
    default ${template('{"title":"', variable('meshgate_ask_title'), '","status":', variable('upstream_status'), ',', answerHeader(TO_INGRESS.problem))};
  }
`;

const brief = conf`
  proxy_intercept_errors on;
  error_page 303 401 = @meshgate_ask_401; error_page ${OTHERS.map(String)} = @meshgate_ask_403;
`;

const entire = conf`
  proxy_intercept_errors off; proxy_hide_header ${TO_INGRESS.reason}; proxy_hide_header ${TO_INGRESS.problem};
  error_page 500 502 504 = @meshgate_down;
`;

/** How the listener asks the servers of the checks, with the variables that the location of a form has set. */
function ask(context: Context): readonly Directive[] {
  // The answer repeats the cookies of the client, except those of the gateway.
  const size = Math.ceil((context.answerSize + (hasSessions(context) ? MAX_COOKIE_BYTES + 32 * 1024 : 0)) / 1024) + 8;
  return conf`
    auth_request off;
    access_log off; # the servers of the checks write the log
    # A check that does not say its request is not answered.
    if ($meshgate_ask_method !~ ${regex('', '^[A-Z][A-Z_-]{0,31}$)')} { rewrite ^ ${BAD_LOCATION}? last; }
    if ($meshgate_ask_uri !~ ${regex('', '^/[^\\x00-\\x20\\x7f]*$)')} { rewrite ^ ${BAD_LOCATION}? last; }
    if ($meshgate_ask_host !~ ${regex('', '^[A-Za-z0-9._:\\[\\]-]+$)')} { rewrite ^ ${BAD_LOCATION}? last; }
    // The answer to HEAD has the length of a body that it does not have. This lets nginx drop the length.
    ssi off; ssi_types *; if ($meshgate_ask_method = HEAD) { ssi on; }
    proxy_pass http://${ASKED_UPSTREAM}$meshgate_ask_uri; # with a variable, nginx sends the target unchanged
    proxy_method $meshgate_ask_method;
    proxy_http_version 1.1;
    proxy_pass_request_headers on; proxy_pass_request_body off;
    ${bodyBuffer(MAX_ASKED_BYTES)}
    proxy_set_header Host $meshgate_ask_host; proxy_set_header Connection ""; proxy_set_header Upgrade $meshgate_ask_upgrade;
    proxy_set_header Content-Length ""; proxy_set_header Transfer-Encoding ""; proxy_set_header TE ""; proxy_set_header Expect "";
    # For the answer of the service, not for that of the check.
    proxy_set_header If-Match ""; proxy_set_header If-None-Match ""; proxy_set_header If-Modified-Since ""; proxy_set_header If-Unmodified-Since ""; proxy_set_header If-Range ""; proxy_set_header Range "";
    proxy_set_header X-Forwarded-For $meshgate_ask_from;
    proxy_buffer_size ${size}k; proxy_buffers 8 64k; proxy_busy_buffers_size ${Math.max(128, size)}k;
    ${timeouts('3s', '3s', '15s')}
    ${onceMore()}
    ${unstored}
    ${ignoresAccel()}
  `;
}

const only = (form: CheckForm): readonly Directive[] => (form.style === 'brief' ? brief : entire);

function location(context: Context, form: CheckForm): readonly Directive[] {
  const isPrefix = form.path.endsWith('/');
  return conf`
    # ${form.says}.
    // Without it, nginx would redirect the prefix without its slash.
    ${isPrefix && conf`location = ${form.path.slice(0, -1)} { ${refusal(context, 'route_unknown')} }`}
    location ${isPrefix ? '^~' : '='} ${form.path} {
      set $meshgate_ask_method ${form.method};
      set $meshgate_ask_uri ${form.uri};
      set $meshgate_ask_host ${form.host};
      set $meshgate_ask_from ${form.address ? variable('meshgate_ask_address') : ''};
      ${included(context, 'ask.conf')}
      ${only(form)}
      ${form.name === 'forward-auth' && conf`proxy_redirect / https://$meshgate_ask_host/;`}
      ${form.name !== 'forward-auth' && conf`proxy_redirect off;`}
      ${form.name === 'envoy' && conf`add_header X-Envoy-Auth-Headers-To-Remove $meshgate_ask_removed;`}
    }
  `;
}

/** The files of the listener. */
export const askFiles = (context: Context): readonly ConfFile[] => [
  ['ask.conf', ask(context), 'How the listener asks about the request of a client.'],
  [
    'forms.conf',
    conf`
      ${forms.flatMap((form) => location(context, form))}
      ${briefLocations}
    `,
    'Where an ingress asks whether a request may pass. docs/ext-authz.md describes the forms.',
  ],
];
