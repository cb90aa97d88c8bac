import { isWildcard } from '../../base/host-name.ts';
import { TO_CHECK } from '../../base/internal-headers.ts';
import type { ReasonCode, Refusal } from '../../base/reasons.ts';
import type { Accepting } from '../../caller/credential.ts';
import type { SigninMode } from '../../session/names.ts';
import { httpsOrigin } from '../../session/urls.ts';
import type { Verified } from '../../token/types.ts';
import type { KnownCaller } from '../shared/known.ts';
import type { Last } from './answer.ts';
import type { More } from './refusal.ts';
import type { PreparedRoute } from './routes.ts';

/** The part of a route, or of a whole host, that says which credentials are accepted. */
export type AcceptingPlace = Accepting &
  Pick<PreparedRoute, 'providers' | 'accepted' | 'scope' | 'realm' | 'origins' | 'publicPort'>;

export type Answered = void | Promise<void>;

export interface CheckHandlers<P extends AcceptingPlace> {
  /** Whether even a known token is verified again, because the handler reads its claims. */
  readonly fresh: boolean;
  readonly renews: boolean;
  /** The header of the answer in which the client receives the nonce for its next proof. */
  readonly nonceHeader: string;

  /** Answers a caller whose credential is valid.
   * @param verified the claims of the token, if it was verified for this request */
  withCaller(
    r: NginxHTTPRequest,
    to: P,
    method: string,
    known: KnownCaller,
    now: number,
    last?: Last,
    verified?: Verified,
  ): Answered;

  /** Answers a request without a caller: it has no credential, or its session has ended.
   * @param reason the reason of the refusal if anonymous callers may not pass
   * @param expire whether the cookie is useless; if the request opens a page, the answer deletes the cookie
   * @param mode the kind of sign-in if the request opens a page */
  absent(r: NginxHTTPRequest, to: P, method: string, reason: ReasonCode, expire?: boolean, mode?: SigninMode): Answered;

  /** Answers a request whose credential is refused. */
  refuse(r: NginxHTTPRequest, to: P, refusal: Refusal, more?: More): void;
}

type Place = Pick<PreparedRoute, 'realm' | 'publicPort'>;

/** Returns the host of a request as the policy writes it; for a wildcard host, the requested name. */
export const requestedHost = (r: NginxHTTPRequest, { realm }: Place): string =>
  isWildcard(realm) ? (r.headersIn[TO_CHECK.host] ?? realm) : realm;

/** Whether a page of another origin sends a request that could change something. This is checked for all that a browser
 * sends by itself: a session, a client certificate, its network, a password that it has cached for the service. A program
 * that sends no origin passes.
 * @param named other origins whose pages may send requests */
export function isForeign(r: NginxHTTPRequest, to: Place, named: readonly string[]): boolean {
  // nginx passes on the origin only for methods that are not safe, and for an upgrade of the connection.
  const origin = r.headersIn[TO_CHECK.origin];
  if (origin === undefined || named.includes(origin)) return false;
  return origin !== httpsOrigin(requestedHost(r, to), to.publicPort);
}
