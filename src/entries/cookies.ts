/** The entry of cookies.js, for cookies of services, and for responses without a final status. It is a small separate
 * bundle, because such a response keeps its JavaScript context until it is sent. */

import hash from 'crypto';
import { composed } from '../base/composed-key.ts';
import { withoutOwn } from '../session/own-cookies.ts';
import { cookiesFor, markOf, readNames, withMark } from '../session/service-cookies.ts';

/** The mark of the caller whose request this is, by what services receive about the caller. Anonymous callers share one. */
function markFor({ variables }: NginxHTTPRequest): string {
  const { meshgate_provider: provider = '', meshgate_user: user = '', meshgate_agent: agent = '' } = variables;
  const caller = composed('service-cookies', provider, user, agent);
  return markOf(hash.createHash('sha256').update(caller).digest('base64url'));
}

/** `js_set`: returns the cookies of a request that a service receives: none that it set for another caller. */
const passed = (r: NginxHTTPRequest): string =>
  cookiesFor(r.variables.meshgate_cookie_other ?? '', readNames(r.variables.meshgate_session_cookies), markFor(r));

/** `js_set`: removes from a service's response all lines that would set a cookie of the gateway, and marks its session
 * cookies.
 * @returns the cookie that the gateway itself sets in this response */
function kept(r: NginxHTTPRequest): string {
  const lines = r.headersOut['Set-Cookie'] as readonly string[] | undefined;
  if (lines !== undefined) {
    // The header is emptied first: if the next line fails, no line passes without a check.
    r.headersOut['Set-Cookie'] = [];
    r.headersOut['Set-Cookie'] = withMark(
      withoutOwn(lines),
      readNames(r.variables.meshgate_session_cookies),
      markFor(r),
    ) as string[];
  }
  return r.variables.meshgate_set_cookie ?? '';
}

/** The response in place of one without a status line, which nginx takes for HTTP/0.9 and sends as it is. Clients close
 * the connection, and read nothing of what follows. */
const CLOSED = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** `js_set`: makes a response with an informational status, or without one, a 502, whose body nginx sends with a length
 * or in chunks.
 * @returns the value of `Proxy-Status` (RFC 9209) */
function ended(r: NginxHTTPRequest): string {
  const { variables } = r;
  ngx.log(ngx.ERR, `meshgate: ${variables.meshgate_service ?? ''} answered with the status ${variables.status ?? ''}`);
  r.status = 502;
  if (r.httpVersion === '0.9' && variables.server_protocol?.startsWith('HTTP/1')) r.send(CLOSED);
  return 'meshgate; error=http_protocol_error';
}

export default { kept, passed, ended };
