import { isWildcard } from '../host-name.ts';
import { TO_CHECK } from '../internal-headers.ts';
import { originOf } from '../session/urls.ts';
import type { PreparedRoute } from './routes.ts';

type Place = Pick<PreparedRoute, 'realm' | 'publicPort'>;

/** The host of a request: as the policy writes it, or the name that was asked if that is a wildcard. */
export const hostOf = (r: NginxHTTPRequest, { realm }: Place): string =>
  isWildcard(realm) ? (r.headersIn[TO_CHECK.host] ?? realm) : realm;

/**
 * Whether a page of another origin sends a request that could change something. Each credential that a browser adds by
 * itself asks this: the session, the client's certificate, the network. A program says no origin, and passes.
 *
 * @param named origins of others whose pages may send
 */
export function isForeign(r: NginxHTTPRequest, to: Place, named: readonly string[]): boolean {
  // nginx passes the origin only if the method is unsafe or the connection is to be upgraded.
  const origin = r.headersIn[TO_CHECK.origin];
  if (origin === undefined || named.includes(origin)) return false;
  return origin !== originOf(hostOf(r, to), to.publicPort);
}
