import { MAX_DICT_TTL_MS, REVOCATIONS_MARK_S, REVOCATIONS_READ_S } from '../limits.ts';
import { locksDict, REVOCATIONS_READ, revokedDict } from './dicts.ts';

/** Notes that all that other replicas revoked was read. The mark is written seldom: each write writes the state file. */
export function noteRead(now: number): void {
  locksDict().set(REVOCATIONS_READ, 1, MAX_DICT_TTL_MS);
  if (!(now - Number(revokedDict().get(REVOCATIONS_READ) ?? 0) < REVOCATIONS_MARK_S)) {
    revokedDict().set(REVOCATIONS_READ, String(Math.floor(now)), MAX_DICT_TTL_MS);
  }
}

/** Whether all that other replicas revoked was read since nginx started. That stays so. */
export const wasReadHere = (): boolean => locksDict().has(REVOCATIONS_READ);

/** Whether all that other replicas revoked was read: since nginx started, or not long before. The latter passes. */
export function wasRead(now: number): boolean {
  if (wasReadHere()) return true;
  return now - Number(revokedDict().get(REVOCATIONS_READ) ?? 0) < REVOCATIONS_READ_S;
}
