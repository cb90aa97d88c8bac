import type { SessionPolicy } from '../policy/types.ts';
import type { SessionClaims } from './types.ts';

/** The last part of the fresh time, in which the claims are confirmed early. */
const EARLY = 0.2;

/** The part of the idle time after which a cookie is sealed again. */
const USED = 0.25;

/** Returns when a cookie ends even if the claims are fresh: after the idle time or at the session's absolute end. */
export const hardEnd = ({ sealed, end }: Pick<SessionClaims, 'sealed' | 'end'>, { idle }: SessionPolicy): number =>
  Math.min(sealed + idle, end);

/** Whether the fresh time of the claims is over. */
export const isStale = ({ fresh }: Pick<SessionClaims, 'fresh'>, now: number): boolean => now >= fresh;

/** Whether the claims must be confirmed now or soon. */
export const isRefreshDue = (session: Pick<SessionClaims, 'fresh'>, policy: SessionPolicy, now: number): boolean =>
  now > session.fresh - EARLY * policy.fresh;

/** Whether the used part of the idle time is so large that the cookie must be sealed again. */
export const isSealDue = ({ sealed }: Pick<SessionClaims, 'sealed'>, { idle }: SessionPolicy, now: number): boolean =>
  now > sealed + USED * idle;

/** Returns when the claims must be confirmed or the cookie resealed, whichever is first; seconds since the epoch. */
export const dueAt = (fresh: number, sealed: number, policy: SessionPolicy): number =>
  Math.min(fresh - EARLY * policy.fresh, sealed + USED * policy.idle);
