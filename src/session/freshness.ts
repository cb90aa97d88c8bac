import type { SessionPolicy } from '../policy/types.ts';
import type { SessionClaims } from './types.ts';

/** Of the time that claims stay fresh, the part before its end in which they are confirmed early. */
const EARLY = 0.2;

/** Of the idle time, the part after which a cookie is sealed anew. */
const USED = 0.25;

/** When a cookie ends whatever the provider says: unused for the idle time, or the session is over. */
export const hardEnd = ({ sealed, end }: Pick<SessionClaims, 'sealed' | 'end'>, { idle }: SessionPolicy): number =>
  Math.min(sealed + idle, end);

/** Whether the provider's word for the claims is too old. */
export const isStale = ({ fresh }: Pick<SessionClaims, 'fresh'>, now: number): boolean => now >= fresh;

/** Whether the claims are to be confirmed: soon, or now. */
export const isRefreshDue = (session: Pick<SessionClaims, 'fresh'>, policy: SessionPolicy, now: number): boolean =>
  now > session.fresh - EARLY * policy.fresh;

/** Whether so much of the idle time is used up that the cookie is to be sealed anew. */
export const isSealDue = ({ sealed }: Pick<SessionClaims, 'sealed'>, { idle }: SessionPolicy, now: number): boolean =>
  now > sealed + USED * idle;

/** When the first of both is due; seconds since the epoch. */
export const dueAt = (fresh: number, sealed: number, policy: SessionPolicy): number =>
  Math.min(fresh - EARLY * policy.fresh, sealed + USED * policy.idle);
