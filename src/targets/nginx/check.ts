import { TO_CHECK } from '../../internal-headers.ts';
import { MAX_COOKIE_BYTES } from '../../limits.ts';
import { askedFrom } from './budgets.ts';
import { INNER_CERTIFICATE } from './client-certificate.ts';
import { type Directive, line, literal, row, template, variable } from './directive.ts';
import type { ConfFile } from './files.ts';
import { ignoresAccel, onceMore, timeouts, unstored } from './module.ts';
import { CHECK_UPSTREAM, requestHeader } from './names.ts';
import { shownNetworks } from './networks.ts';
import { inside } from './problem.ts';
import { proofHeaders } from './proof.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** A request to the check's server contains only the client's headers that are listed. */
export const bare: readonly Directive[] = [
  ...row(
    'proxy_http_version 1.1; proxy_method GET; proxy_pass_request_headers off; proxy_pass_request_body off',
    'send only what follows',
  ),
  ...row('proxy_set_header Host meshgate; proxy_set_header Connection ""; proxy_set_header Content-Length ""'),
];

/**
 * The location that leads to a check: it sends what the check reads, and has room for what the outer server accepts.
 *
 * @param size bytes of an answer
 */
const way = (size: number, credentials: readonly Directive[]): readonly Directive[] => [
  ...inside,
  line('auth_request', 'off'),
  ...row(
    [line('proxy_pass', literal(`http://${CHECK_UPSTREAM}`))],
    'without a URI, so the check sees the path of auth_request',
  ),
  ...bare,
  ...credentials,
  line('proxy_set_header', TO_CHECK.method, variable('request_method')),
  ...row('client_max_body_size 0', 'the location of the route has the limit'),
  // The default of the last one is twice the first buffer, which may be more than nginx accepts with three others.
  ...row(
    `proxy_buffering on; proxy_buffer_size ${size >> 10}k; proxy_buffers 4 32k` +
      (size > 48 * 1024 ? `; proxy_busy_buffers_size ${size >> 10}k` : ''),
  ),
  ...timeouts('3s', '3s', '10s'),
  ...onceMore(),
  ...unstored,
  ...row('proxy_intercept_errors off', 'refuse.conf answers rejected requests'),
  ...ignoresAccel(),
];

/** If a token is in the URL, which logs and browsers keep (RFC 6750 section 5.3), a word precedes `Authorization`: it
 * makes a scheme that the check rejects. The map returns only the word, because a request holds a copy of the map's
 * result. */
const authorization = template(variable('meshgate_in_query'), variable('http_authorization'));

/** The files of the locations that lead to both checks. Answers have room for a cookie where browsers sign in. */
export function checkFiles(scene: Scene): readonly ConfFile[] {
  const outer = [
    line('proxy_set_header', 'Authorization', authorization),
    ...(hasSessions(scene) ? [line('proxy_set_header', 'Cookie', variable('meshgate_cookie_in'))] : []),
    ...shownNetworks(scene),
    ...proofHeaders(scene),
    ...askedFrom(scene),
  ];
  const browser = [
    ...outer,
    line('proxy_set_header', TO_CHECK.navigation, variable('meshgate_navigation')),
    line('proxy_set_header', TO_CHECK.origin, variable('meshgate_origin_in')),
  ];
  const inner = [
    line('proxy_set_header', 'Authorization', variable('http_authorization')),
    line('proxy_set_header', TO_CHECK.assertion, requestHeader(TO_CHECK.assertion)),
    line('proxy_set_header', 'SSL-Client-Cert', variable(INNER_CERTIFICATE)),
  ];
  const { answerSize } = scene;
  return [
    ['check.conf', way(answerSize, outer), 'How nginx asks the check whether a request may pass.'],
    [
      'check-session.conf',
      way(answerSize + MAX_COOKIE_BYTES, browser),
      'How nginx asks the check, on hosts where browsers sign in.',
    ],
    [
      'hop.conf',
      way(answerSize, inner),
      'How nginx asks the check at the inner listener, where services send requests.',
    ],
  ];
}
