import { TO_CHECK } from '../../internal-headers.ts';
import { askedFrom } from './budgets.ts';
import { INNER_CERTIFICATE } from './client-certificate.ts';
import { type Directive, line, literal, template, variable } from './directive.ts';
import { hasInnerHosts } from './door.ts';
import type { ConfFile } from './files.ts';
import { CHECK_UPSTREAM, requestHeader } from './names.ts';
import { shownNetworks } from './networks.ts';
import { inside } from './problem.ts';
import { proofHeaders } from './proof.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** A request to the check's server contains only the client's headers that are listed. */
export const bare: readonly Directive[] = [
  line('proxy_http_version', '1.1'),
  line('proxy_method', 'GET'),
  line('proxy_pass_request_headers', 'off'),
  line('proxy_pass_request_body', 'off'),
  line('proxy_set_header', 'Host', 'meshgate'),
  line('proxy_set_header', 'Connection', literal('')),
  line('proxy_set_header', 'Content-Length', literal('')),
];

/** The location that leads to a check: it sends what the check reads, and has room for what the outer server accepts.
 * The host determines the size of answers. */
const way = (credentials: readonly Directive[]): readonly Directive[] => [
  ...inside,
  line('auth_request', 'off'),
  line('proxy_pass', literal(`http://${CHECK_UPSTREAM}`)),
  ...bare,
  ...credentials,
  line('proxy_set_header', TO_CHECK.method, variable('request_method')),
  line('client_max_body_size', '0'),
  line('proxy_buffering', 'on'),
  line('proxy_buffers', '4', '32k'),
  line('proxy_connect_timeout', '3s'),
  line('proxy_send_timeout', '3s'),
  line('proxy_read_timeout', '10s'),
  line('proxy_next_upstream', 'error'),
  line('proxy_next_upstream_tries', '1'),
  line('proxy_cache', 'off'),
  line('proxy_store', 'off'),
  line('proxy_intercept_errors', 'off'),
  line('proxy_ignore_headers', 'X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'),
];

/** If a token is in the URL, which logs and browsers keep (RFC 6750 section 5.3), a word precedes `Authorization`: it
 * makes a scheme that the check rejects. The map returns only the word, because a request holds a copy of the map's
 * result. */
const authorization = template(variable('meshgate_in_query'), variable('http_authorization'));

/** The files of the locations that lead to both checks, with what every host sends them. */
export function checkFiles(scene: Scene): readonly ConfFile[] {
  const outer = [
    line('proxy_set_header', 'Authorization', authorization),
    ...(hasSessions(scene) ? [line('proxy_set_header', 'Cookie', variable('meshgate_cookie_in'))] : []),
    ...shownNetworks(scene),
    ...proofHeaders(scene),
    ...askedFrom(scene),
  ];
  const inner = [
    line('proxy_set_header', 'Authorization', variable('http_authorization')),
    line('proxy_set_header', TO_CHECK.assertion, requestHeader(TO_CHECK.assertion)),
    line('proxy_set_header', 'SSL-Client-Cert', variable(INNER_CERTIFICATE)),
  ];
  return [
    ['check.conf', way(outer), 'The way to the check, in a location of each host.'],
    ...(hasInnerHosts(scene)
      ? ([['hop.conf', way(inner), 'The way to the check of services that ask.']] as const)
      : []),
  ];
}
