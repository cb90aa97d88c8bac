import { keysDict } from './dicts.ts';
import { anyRevoked } from './revoked-room.ts';

/** Key in the dict of keys for a text that changes with every fetch of a provider's keys and with every revocation. One
 * read shows a context whether what it knows is current. */
export const EPOCH = 'epoch';

/** Last character of an epoch in which something is revoked. Without it, nothing has to be looked up. */
const REVOKED = '!';

/** Whether something may be revoked in an epoch. If the epoch is unknown, revocations must be looked up. */
export const hasRevocations = (epoch: string | undefined): boolean => epoch?.endsWith(REVOKED) !== false;

/** Makes all contexts check again what known credentials depend on. Called after the keys or the revocations changed,
 * and when a worker starts, because its dicts come from two files. */
export function newEpoch(): void {
  const base = `${Date.now() / 1000} ${Math.random()}`;
  const had = anyRevoked();
  keysDict().set(EPOCH, had ? base + REVOKED : base);
  // Another worker may have revoked something between the read and the write.
  if (!had && anyRevoked()) keysDict().set(EPOCH, base + REVOKED);
}
