import { TO_CHECK } from '../../../base/internal-headers.ts';
import { MAX_COOKIE_BYTES } from '../../../base/limits.ts';
import { inside } from '../answers/problem-files.ts';
import type { Context } from '../render-context.ts';
import { ignoresAccel, onceMore, timeouts, unstored } from '../route/module.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, newline, template, variable } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { CHECK_UPSTREAM, requestHeader } from '../text/names.ts';
import { requestOrigin } from './address-budgets.ts';
import { INNER_CERTIFICATE } from './client-certificate.ts';
import { shownNetworks } from './networks.ts';
import { proofHeaders } from './proof-headers.ts';

/** A request to the check's server has only the listed headers of the client, and no body of the client. */
export const bare = conf`
  proxy_http_version 1.1; proxy_method GET; proxy_pass_request_headers off; proxy_pass_request_body off; # send only what follows
  proxy_set_header Host meshgate; proxy_set_header Connection "";
`;

/** For a request without a body. */
export const bodiless = conf`proxy_set_header Content-Length "";`;

/** The location that leads to a check. It sends the headers that the check reads, and has room for the largest request
 * that the outer server accepts.
 * @param size the maximum size of a response, in bytes */
const way = (size: number, credentials: readonly Directive[]): readonly Directive[] => conf`
  ${inside}
  auth_request off;
  proxy_pass http://${CHECK_UPSTREAM}; # without a URI, so the check sees the path of auth_request
  ${bare}
  ${credentials}
  proxy_set_header ${TO_CHECK.method} $request_method;
  client_max_body_size 0; # the location of the route has the limit
  // The default of proxy_busy_buffers_size is twice the first buffer. This may be more than nginx accepts with three
  // other buffers.
  proxy_buffering on; proxy_buffer_size ${size >> 10}k; proxy_buffers 4 32k; ${size > 48 * 1024 && conf`proxy_busy_buffers_size ${size >> 10}k;`}
  ${timeouts('3s', '3s', '10s')}
  ${onceMore()}
  ${unstored}
  proxy_intercept_errors off; # refuse.conf answers rejected requests
  ${ignoresAccel()}
`;

/** The files of the locations that lead to both checks. Where people sign in, responses have room for a cookie. */
export function checkFiles(context: Context): readonly ConfFile[] {
  const cookies = hasSessions(context) ? [newline, variable('meshgate_cookie_in')] : [];
  const outer = conf`
    // These are in the body, because to read a header line costs 8 instructions for each character.
    // If the client's URL contains a token, the map puts a word before the value of the header, and the check rejects
    // this scheme: logs and browsers keep URLs (RFC 6750 section 5.3). The map returns only this word, because each
    // request holds a copy of the map's result.
    proxy_set_body ${template(variable('meshgate_in_query'), variable('http_authorization'), ...cookies)};
    ${shownNetworks(context)}
    ${proofHeaders(context)}
    ${requestOrigin(context)}
  `;
  const browser = conf`
    ${outer}
    proxy_set_header ${TO_CHECK.navigation} $meshgate_navigation;
    proxy_set_header ${TO_CHECK.origin} $meshgate_origin_in;
  `;
  const inner = conf`
    ${bodiless}
    proxy_set_header Authorization $http_authorization;
    proxy_set_header ${TO_CHECK.assertion} ${requestHeader(TO_CHECK.assertion)};
    proxy_set_header SSL-Client-Cert ${variable(INNER_CERTIFICATE)};
  `;
  const { answerSize } = context;
  const room = answerSize + MAX_COOKIE_BYTES;
  return [
    ['check.conf', way(answerSize, outer), 'How nginx asks the check whether a request may pass.'],
    ['check-session.conf', way(room, browser), 'How nginx asks the check on hosts where people sign in.'],
    [
      'hop.conf',
      way(answerSize, inner),
      'How nginx asks the check at the inner listener, where services send requests.',
    ],
  ];
}
