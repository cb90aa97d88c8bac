import { MAX_NUMERIC_DATE } from '../base/limits.ts';
import { type Refused, refuse } from '../base/reasons.ts';
import type { Claims } from './types.ts';

/** Whether a date is absent or a valid NumericDate (RFC 7519 section 2). */
function isDate(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && value <= MAX_NUMERIC_DATE && value > never);
}

/** A number below every date. The engine finds a local name faster than a member of a global object. */
const never = Number.NEGATIVE_INFINITY;

function noDate(name: string, value: unknown): Refused {
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return refuse('claim_absent', `"${name}" is not a ${isNumber ? 'date in seconds' : 'number'}`);
}

/** Requires `exp`; checks `nbf` and `iat` if they are present (RFC 7519 sections 4.1.4 to 4.1.6).
 * @returns `claim_absent`, `token_expired` or `token_not_yet_valid`; undefined if the times are valid */
export function checkTimes(claims: Claims, now: number, skew: number): Refused {
  const { exp, nbf, iat } = claims;
  const latest = now + skew;
  // Most tokens pass this test without a function call. The others are checked again to find the reason.
  if (
    typeof exp === 'number' &&
    exp > now - skew &&
    exp <= MAX_NUMERIC_DATE &&
    (nbf === undefined || (typeof nbf === 'number' && nbf <= latest && nbf > never)) &&
    (iat === undefined || (typeof iat === 'number' && iat <= latest && iat > never))
  ) {
    return undefined;
  }
  if (!isDate(exp)) return noDate('exp', exp);
  if (!isDate(nbf)) return noDate('nbf', nbf);
  if (!isDate(iat)) return noDate('iat', iat);
  if (exp === undefined) return refuse('claim_absent', 'the token has no "exp"');
  if (exp <= now - skew) return refuse('token_expired', `expired at ${exp}; the time is now ${Math.floor(now)}`);
  if (nbf !== undefined && nbf > latest)
    return refuse('token_not_yet_valid', `"nbf" is ${nbf}; the time is now ${Math.floor(now)}`);
  if (iat !== undefined && iat > latest)
    return refuse('token_not_yet_valid', `"iat" is ${iat}; the time is now ${Math.floor(now)}`);
  return undefined;
}
