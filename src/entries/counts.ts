/** The entry of counts.js, for requests that nginx refuses without the check. It is a small separate bundle, because the
 * servers that clients reach load no other JavaScript. */

import { counterName, increment } from '../njs/shared/counts.ts';

/** `js_set` of a variable that nginx reads while it writes the log line of such a request: counts it by its status. The
 * text is empty, so that the line stays the same. */
function refused({ variables }: NginxHTTPRequest): string {
  increment(counterName('unchecked', [variables.status ?? '']));
  return '';
}

export default { refused };
