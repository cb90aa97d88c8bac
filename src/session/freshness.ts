import type { SessionPolicy } from '../policy/checked/types.ts';
import type { SessionClaims } from './types.ts';

/** The last part of the fresh time, in which the claims are confirmed early. */
const EARLY = 0.2;

/** The part of the idle time after which a cookie is sealed again. */
const USED = 0.25;

/** Returns when a cookie ends even if the claims are fresh: after the idle time or at the session's absolute end. */
export const hardEnd = ({ sealed, end }: Pick<SessionClaims, 'sealed' | 'end'>, { idle }: SessionPolicy): number =>
  Math.min(sealed + idle, end);

/** What decides whether claims are fresh. */
export interface Freshness {
  readonly policy: SessionPolicy;
  /** Seconds by which clocks can differ. */
  readonly skew: number;
  /** Seconds since the epoch. */
  readonly now: number;
}

type Fresh = Pick<SessionClaims, 'fresh'>;

/** Returns from when claims can be fresh. Before that, the clock that set the end of their fresh time was ahead. */
export const freshFrom = (fresh: number, policy: Pick<SessionPolicy, 'fresh'>, skew: number): number =>
  fresh - policy.fresh - skew;

const isAhead = ({ fresh }: Fresh, { policy, skew, now }: Freshness): boolean => now < freshFrom(fresh, policy, skew);

/** Whether the fresh time of the claims is over, or was set by a clock that was ahead. */
export const isStale = (session: Fresh, at: Freshness): boolean => at.now >= session.fresh || isAhead(session, at);

/** Whether the claims must be confirmed now or soon. */
export const isRefreshDue = (session: Fresh, at: Freshness): boolean =>
  at.now > session.fresh - EARLY * at.policy.fresh || isAhead(session, at);

/** Whether the used part of the idle time is so large that the cookie must be sealed again. */
export const isSealDue = ({ sealed }: Pick<SessionClaims, 'sealed'>, { idle }: SessionPolicy, now: number): boolean =>
  now > sealed + USED * idle;

/** Returns when the claims must be confirmed or the cookie resealed, whichever is first; seconds since the epoch. */
export const dueAt = (fresh: number, sealed: number, policy: SessionPolicy): number =>
  Math.min(fresh - EARLY * policy.fresh, sealed + USED * policy.idle);
