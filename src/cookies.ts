/** The entry of cookies.js, for responses of services that mention a cookie of the gateway. It is a small bundle of its
 * own, because such a response keeps a context of it until it is sent. */

import { withoutOwn } from './session/own-cookies.ts';

/** `js_set`: removes from a service's response the lines that would set a cookie of the gateway.
 *
 * @returns the cookie that the gateway itself sets in this response
 */
function kept(r: NginxHTTPRequest): string {
  const lines = r.headersOut['Set-Cookie'] as readonly string[] | undefined;
  if (lines !== undefined) {
    // If anything fails from here on, no unexamined line passes.
    r.headersOut['Set-Cookie'] = [];
    r.headersOut['Set-Cookie'] = withoutOwn(lines) as string[];
  }
  return r.variables.meshgate_set_cookie ?? '';
}

export default { kept };
