import type { Accepting } from '../caller/credential.ts';
import type { ReasonCode, Refusal } from '../reasons.ts';
import type { SigninMode } from '../session/renewal-status.ts';
import type { Verified } from '../token/types.ts';
import type { Last } from './answer.ts';
import type { KnownCaller } from './known.ts';
import type { More } from './refusal.ts';
import type { PreparedRoute } from './routes.ts';

/** The part of a route, or of a whole host, that says which credentials count. */
export type Place = Accepting &
  Pick<PreparedRoute, 'providers' | 'accepted' | 'scope' | 'realm' | 'origins' | 'publicPort'>;

export type Answered = void | Promise<void>;

/** How a handler finds callers, and how it answers them. */
export interface Door<P extends Place> {
  /** Tokens are verified again, even known ones, because the handler reads their claims. */
  readonly fresh: boolean;
  /** Sessions are renewed on the way. */
  readonly renews: boolean;
  /** The header of the answer that carries the nonce for the next proof. */
  readonly nonceHeader: string;

  /**
   * Answers a caller whose credential is good.
   *
   * @param verified the claims of a token that was verified just now
   */
  met(
    r: NginxHTTPRequest,
    to: P,
    method: string,
    known: KnownCaller,
    now: number,
    last?: Last,
    verified?: Verified,
  ): Answered;

  /**
   * Answers a request without a caller: it has no credential, or its session has ended.
   *
   * @param reason why, unless anonymous callers pass
   * @param expire the cookie is useless: a navigation removes it
   * @param mode how a page goes to the sign-in
   */
  absent(r: NginxHTTPRequest, to: P, method: string, reason: ReasonCode, expire?: boolean, mode?: SigninMode): Answered;

  /** Answers a request whose credential is refused. */
  refuse(r: NginxHTTPRequest, to: P, refusal: Refusal, more?: More): void;
}
