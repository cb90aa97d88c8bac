/** The entry of cookies.js, for responses of services that contain the name of a cookie of the gateway, or have an
 * informational status. It is a small separate bundle, because such a response keeps its JavaScript context until it is
 * sent. */

import { withoutOwn } from '../session/own-cookies.ts';

/** `js_set`: removes from a service's response all lines that would set a cookie of the gateway.
 * @returns the cookie that the gateway itself sets in this response */
function kept(r: NginxHTTPRequest): string {
  const lines = r.headersOut['Set-Cookie'] as readonly string[] | undefined;
  if (lines !== undefined) {
    // The header is emptied first: if the next line fails, no line passes without a check.
    r.headersOut['Set-Cookie'] = [];
    r.headersOut['Set-Cookie'] = withoutOwn(lines) as string[];
  }
  return r.variables.meshgate_set_cookie ?? '';
}

/** `js_set`: makes a response with an informational status a 502, whose body nginx sends with a length or in chunks.
 * @returns the value of `Proxy-Status` (RFC 9209) */
function ended(r: NginxHTTPRequest): string {
  ngx.log(ngx.ERR, `meshgate: ${r.variables.meshgate_service ?? ''} answered with the status ${r.status}`);
  r.status = 502;
  return 'meshgate; error=http_protocol_error';
}

export default { kept, ended };
