/** The entry of cookies.js, for responses of services that contain the name of a cookie of the gateway. It is a small
 * separate bundle, because such a response keeps its JavaScript context until it is sent. */

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

export default { kept };
