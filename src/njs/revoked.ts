import { laterValue, revocationKey, revocationValue } from '../session/revocation.ts';
import type { Revocation } from '../session/store.ts';
import { dictTtl } from './dict-store.ts';
import { revokedDict } from './dicts.ts';
import { newEpoch } from './epoch.ts';

/**
 * Keeps a revocation where the check looks, on this nginx.
 *
 * @returns whether it says anything new; then {@link newEpoch} is to follow
 * @throws Error with one line for the log where there is no room: nothing makes room there
 */
function keep({ kind, value, before, until }: Revocation): boolean {
  const left = until - Date.now() / 1000;
  if (left <= 0) return false;
  const key = revocationKey(kind, value);
  const present = revokedDict().get(key);
  const text = laterValue(revocationValue({ before }), present);
  if (text === present) return false;
  try {
    revokedDict().set(key, text, dictTtl(left));
  } catch {
    throw new Error('the zone meshgate_revoked is full: a revocation is not kept; enlarge it');
  }
  return true;
}

/**
 * Keeps revocations, and has what is known of credentials looked at again.
 *
 * @throws Error with one line for the log where there is no room for all of them
 */
export function keepRevoked(revocations: readonly Revocation[]): void {
  let changed = false;
  try {
    for (const revocation of revocations) changed = keep(revocation) || changed;
  } finally {
    if (changed) newEpoch();
  }
}
