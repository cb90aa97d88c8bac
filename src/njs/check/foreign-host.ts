import { isWildcard } from '../../base/host-name.ts';
import { TO_CHECK } from '../../base/internal-headers.ts';
import { httpsOrigin } from '../../session/urls.ts';
import type { PreparedRoute } from './routes.ts';

type Place = Pick<PreparedRoute, 'realm' | 'publicPort'>;

/** Returns the host of a request as the policy writes it; for a wildcard host, the requested name. */
export const requestedHost = (r: NginxHTTPRequest, { realm }: Place): string =>
  isWildcard(realm) ? (r.headersIn[TO_CHECK.host] ?? realm) : realm;

/** Whether a page of another origin sends a request that could change something. This is checked for all that a browser
 * sends by itself: a session, a client certificate, its network, a password that it has cached for the service. A program that sends no origin passes.
 * @param named other origins whose pages may send requests */
export function isForeign(r: NginxHTTPRequest, to: Place, named: readonly string[]): boolean {
  // nginx passes on the origin only for methods that are not safe, and for an upgrade of the connection.
  const origin = r.headersIn[TO_CHECK.origin];
  if (origin === undefined || named.includes(origin)) return false;
  return origin !== httpsOrigin(requestedHost(r, to), to.publicPort);
}
