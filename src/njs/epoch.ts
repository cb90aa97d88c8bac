import { keysDict } from './dicts.ts';
import { anyRevoked } from './revoked-room.ts';

/**
 * Name in the dict of the keys that changes with every fetch of any provider's keys and with every revocation: one read
 * tells a context whether what it knows is current.
 */
export const EPOCH = 'epoch';

/** Ends the value of an epoch in which something is called back; without it nobody looks any further. */
const REVOKED = '!';

/** Whether something may be revoked in an epoch. Where none is known, it is looked up. */
export const hasRevocations = (epoch: string | undefined): boolean => epoch?.endsWith(REVOKED) !== false;

/**
 * Has all contexts look again at what known credentials depend on. To be called after the keys or the revocations
 * changed, and as a worker starts: its dicts come from two files.
 */
export function newEpoch(): void {
  const base = `${Date.now() / 1000} ${Math.random()}`;
  const had = anyRevoked();
  keysDict().set(EPOCH, had ? base + REVOKED : base);
  // Another worker may have called something back between the look and the write.
  if (!had && anyRevoked()) keysDict().set(EPOCH, base + REVOKED);
}
