import { claimAt } from '../base/claim-at.ts';
import { isLike } from '../base/like.ts';
import type { ProviderKind, Sign } from '../providers/index.ts';
import type { Claims } from './types.ts';

function shows(sign: Sign, claims: Claims): boolean {
  const value = claimAt(claims, sign.claim);
  if ('absent' in sign) return value === undefined;
  if ('is' in sign) return value === sign.is;
  if ('like' in sign) return typeof value === 'string' && isLike(value, sign.like);
  const other = claimAt(claims, sign.as);
  if (typeof value !== 'string' || typeof other !== 'string' || other === '') return false;
  const named = `${sign.before ?? ''}${other}${sign.after ?? ''}`;
  return sign.ignoreCase ? value.toLowerCase() === named.toLowerCase() : value === named;
}

/** Whether a token with a valid signature shows that no person is behind it: software got it for itself (RFC 6749
 * section 4.4), or a workload showed its own identity. A token without such a mark counts as a person's. */
export function isAlone(claims: Claims, kind: ProviderKind): boolean {
  if (kind.alone === 'always') return true;
  return kind.alone.some((signs) => signs.every((sign) => shows(sign, claims)));
}
