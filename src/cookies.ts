/**
 * What the rendered servers call where a service's answer speaks of a cookie of the gateway's. A bundle of its own, and
 * small: an answer that calls it holds a context of it until it is sent.
 */

import { withoutOwn } from './session/own-cookies.ts';

/**
 * `js_set`: takes the lines out of a service's answer that would set a cookie of the gateway's.
 *
 * @returns the cookie that the gateway itself sets in this answer
 */
function kept(r: NginxHTTPRequest): string {
  const lines = r.headersOut['Set-Cookie'] as readonly string[] | undefined;
  if (lines !== undefined) {
    // Whatever fails from here on, no line passes that was not looked at.
    r.headersOut['Set-Cookie'] = [];
    r.headersOut['Set-Cookie'] = withoutOwn(lines) as string[];
  }
  return r.variables.meshgate_set_cookie ?? '';
}

export default { kept };
