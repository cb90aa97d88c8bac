import { keysDict } from './dicts.ts';
import { anyRevoked } from './revoked-room.ts';

/** Key in the dict of keys for the epoch. This text changes with every fetch of a provider's keys and with every
 * revocation, so a context sees with one read whether its data is current. */
export const EPOCH = 'epoch';

export const epochNow = (): string | undefined => keysDict().get(EPOCH);

/** Last character of an epoch in which revocations exist. If it is missing, nothing has to be looked up. */
const REVOKED = '!';

/** Whether revocations can exist in an epoch. If the epoch is unknown, they must be looked up. */
export const hasRevocations = (epoch: string | undefined): boolean => epoch?.endsWith(REVOKED) !== false;

/** Starts a new epoch, so that all contexts check their known credentials again: after keys or revocations have
 * changed, and when a worker starts, because keys and revocations come from two files. */
export function newEpoch(): void {
  const base = `${Date.now() / 1000} ${Math.random()}`;
  const had = anyRevoked();
  keysDict().set(EPOCH, had ? base + REVOKED : base);
  // Another worker may have revoked something after the read and before the write.
  if (!had && anyRevoked()) keysDict().set(EPOCH, base + REVOKED);
}
