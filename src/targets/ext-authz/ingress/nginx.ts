import { TO_INGRESS } from '../../../base/internal-headers.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { TITLES } from '../../nginx/answers/problem-files.ts';
import { ignoresAccel, onceMore, timeouts, unstored } from '../../nginx/route/module.ts';
import { type Arg, conf, type Directive, line, literal, row, template, variable } from '../../nginx/text/directive.ts';
import { answerHeader } from '../../nginx/text/names.ts';
import { printConf } from '../../nginx/text/print.ts';
import { answerNames, responseNames } from '../check-answer.ts';
import {
  type CheckInput,
  closedNames,
  erasedBy,
  fileOf,
  GATEWAY_PATH,
  type IngressFiles,
  METADATA_PATH,
  urlOf,
} from './kit.ts';

/** What an nginx without the gateway's JavaScript passes on. */
export const UNFRAMED =
  'a service can send any response, also to other clients of a connection, in the body of a response with a status below 200, or with no status line: let only services that you trust answer there';

/** The path of the check in the ingress. It is no path of a client. */
const CHECK = '/.meshgate-check';

/** A check that denies everything. */
const CLOSED = '/.meshgate-closed';

/** The statuses of a refusal that the ingress repeats. */
const STATUSES = Object.keys(TITLES).map(Number);

/** The host of the request, with the port of the gateway unless it is the usual one: pages name it in `Origin`. */
const hostOf = ({ context }: CheckInput): Arg => {
  const port = context.policy.gateway.publicPort ?? DEFAULTS.publicPort;
  return port === DEFAULTS.publicPort ? variable('host') : template(variable('host'), `:${port}`);
};

/** The location of a refusal, whose status and body the answer to the check has in headers. */
export const refuseLocation: readonly Directive[] = conf`
  location @meshgate_refuse {
    default_type application/problem+json; absolute_redirect off;
    add_header Cache-Control no-store always; add_header X-Content-Type-Options nosniff always;
    add_header WWW-Authenticate $meshgate_challenge always; add_header Retry-After $meshgate_retry_after always;
    add_header Set-Cookie $meshgate_set_cookie always; add_header DPoP-Nonce $meshgate_nonce always;
    if ($meshgate_status = 303) { return 303 $meshgate_location; }
    ${STATUSES.filter((status) => status !== 403).flatMap((status) => conf`if ($meshgate_status = ${status}) { return ${status} $meshgate_problem; }`)}
    return 403 $meshgate_problem;
  }
`;

/** The locations of the gateway's own endpoints.
 * @param to the URL of the sidecar */
export function ownLocations(checkInput: CheckInput, to: Arg): readonly Directive[] {
  const own = conf`
    auth_request off;
    ${line('proxy_pass', to)}
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host ${hostOf(checkInput)}; proxy_set_header X-Forwarded-For $remote_addr;
    client_max_body_size 64k; ${unstored}
  `;
  return conf`
    location ^~ ${GATEWAY_PATH} { ${own} }
    location = ${METADATA_PATH} { ${own} }
    location ^~ ${METADATA_PATH}/ { ${own} }
  `;
}

/** What the sidecar's answer to a check needs in the location of the check. */
export const answerBuffers = conf`proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;`;

/** What each location with `proxy_pass` needs besides the directive that protects it.
 * @param check the path of the check */
export function checkedLocation(checkInput: CheckInput, check: string): readonly Directive[] {
  const { context } = checkInput;
  const beside = responseNames(context);
  const kept = answerNames(context).map((name, i) => ({ name, at: variable(`meshgate_answer_${i}`) }));
  return conf`
    satisfy all;
    auth_request ${check};
    auth_request_set $meshgate_status ${answerHeader(TO_INGRESS.status)}; auth_request_set $meshgate_problem ${answerHeader(TO_INGRESS.problem)};
    auth_request_set $meshgate_challenge ${answerHeader(TO_INGRESS.challenge)}; auth_request_set $meshgate_location ${answerHeader('Location')};
    auth_request_set $meshgate_retry_after ${answerHeader('Retry-After')}; auth_request_set $meshgate_set_cookie ${answerHeader('Set-Cookie')};
    auth_request_set $meshgate_nonce ${answerHeader('DPoP-Nonce')};
    ${kept.map(({ name, at }) => line('auth_request_set', at, answerHeader(name)))}
    ${kept.map(({ name, at }) => line('proxy_set_header', literal(name), at))}
    proxy_headers_hash_max_size 8192; proxy_headers_hash_bucket_size 128;
    ssi off; mirror off; add_before_body ""; add_after_body ""; # each would request another location without the check
    ${unstored}
    ${ignoresAccel()}
    ${beside.includes('Set-Cookie') && conf`add_header Set-Cookie $meshgate_set_cookie always;`}
    ${beside.includes('DPoP-Nonce') && conf`add_header DPoP-Nonce $meshgate_nonce always;`}
    # Headers of services that no browser receives.
    ${row(closedNames(context).map((name) => line('proxy_hide_header', literal(name))))}
    # Headers of clients that no service receives.
    ${row(erasedBy(context).map((name) => line('proxy_set_header', literal(name), literal(''))))}
  `;
}

/** Files for an nginx with `auth_request`: one for the `server {}` of the policy's hosts, one for its locations. */
export function nginxFiles(checkInput: CheckInput): IngressFiles {
  const { context, sidecar } = checkInput;
  const beside = responseNames(context);
  const to = urlOf(sidecar);
  const server = conf`
    # Locations without this variable are closed.
    set $meshgate_guard 1;
    # Locations that do not include the file for locations are closed, too.
    auth_request ${CLOSED};
    error_page 401 403 = @meshgate_refuse;
    location = ${CHECK} {
      internal; auth_request off;
      # A location inside another one inherits its check, but not the headers that it sets.
      uninitialized_variable_warn off; if ($meshgate_asks != 1) { return 403; }
      proxy_pass ${to}/auth-request;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_headers on; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Transfer-Encoding "";
      proxy_set_header Host ${hostOf(checkInput)};
      proxy_set_header X-Original-Method $request_method; proxy_set_header X-Original-URI $request_uri; # what the client asked for
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Upgrade $http_upgrade;
      client_max_body_size 0; ${answerBuffers}
      ${timeouts('3s', '3s', '15s')}
      ${onceMore()}
      ${unstored}
      proxy_intercept_errors off;
      ${ignoresAccel()}
    }
    location = ${CLOSED} { internal; auth_request off; set $meshgate_asks ""; return 403; }
    ${refuseLocation}
    # The gateway's own endpoints: the sign-in, and what clients read before they have a token.
    ${ownLocations(checkInput, literal(to))}
  `;
  const location = conf`
    # The file for the server is missing: without it, the service itself would answer the check.
    if ($meshgate_guard != 1) { return 500; }
    set $meshgate_asks 1;
    ${checkedLocation(checkInput, CHECK)}
  `;
  return {
    files: {
      [fileOf('nginx-server.conf')]: printConf(server, [
        'For the server {} of each host of the policy. Rendered by meshgate; do not edit.',
      ]),
      [fileOf('nginx-location.conf')]: printConf(location, [
        'For each location with proxy_pass. Rendered by meshgate; do not edit.',
      ]),
    },
    gaps: [
      ...(beside.includes('Set-Cookie')
        ? [
            {
              part: 'ingress.nginx',
              text: 'auth_request passes no body on: instead of a page, a person who is signed in and may not pass sees the JSON of the refusal',
            },
          ]
        : []),
      { part: 'ingress.nginx', text: UNFRAMED },
      {
        part: 'ingress.nginx',
        text: 'an owner of a location can switch the check off (auth_request off), or set the identity headers to other values: only trusted people may write the configuration of these servers',
      },
    ],
  };
}
