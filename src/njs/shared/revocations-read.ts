import { MAX_DICT_TTL_MS } from '../../base/limits.ts';
import { REVOCATIONS_MARK_S, REVOCATIONS_READ_S } from '../../session/limits.ts';
import { locksDict, REVOCATIONS_READ, revokedDict } from './dicts.ts';

/** Records that all revocations of other replicas were read. The state file gets a new time only once in a while,
 * because each write rewrites the whole file. */
export function noteRead(now: number): void {
  locksDict().set(REVOCATIONS_READ, 1, MAX_DICT_TTL_MS);
  if (!(now - Number(revokedDict().get(REVOCATIONS_READ) ?? 0) < REVOCATIONS_MARK_S)) {
    revokedDict().set(REVOCATIONS_READ, String(Math.floor(now)), MAX_DICT_TTL_MS);
  }
}

/** Whether all revocations of other replicas were read since nginx started. Once true, the result stays true. */
export const wasReadHere = (): boolean => locksDict().has(REVOCATIONS_READ);

/** Whether all revocations were read since nginx started or, if not, a short time ago. In the second case, the result
 * becomes false later. */
export function wasRead(now: number): boolean {
  if (wasReadHere()) return true;
  return now - Number(revokedDict().get(REVOCATIONS_READ) ?? 0) < REVOCATIONS_READ_S;
}
