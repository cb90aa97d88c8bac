import { refuse } from '../reasons.ts';
import type { Table } from '../rules/types.ts';
import { cutBefore, isRevoked, type Revocable } from '../session/revocation.ts';
import { keysDict, revokedDict } from './dicts.ts';
import { EPOCH, hasRevocations } from './epoch.ts';
import { wasRead, wasReadHere } from './revocations-read.ts';

/* The one reader of revocations. Every path that finds or keeps a caller asks here before it answers. docs/sessions.md
 * lists them all. */

/** Whether other replicas' revocations were read since nginx started; then they are known while it runs. */
let isRead = true;

/** If replicas share revocations, makes this context reject credentials until {@link wasRead}.
 *
 * @returns whether they share them; if not, {@link canLookUp} need not be called for each request
 */
export function awaitRevocations({ session }: Pick<Table, 'session'>): boolean {
  const isShared = session?.shared === true;
  isRead = !isShared;
  return isShared;
}

/** Whether revocations can be looked up now. Every path that accepts a credential asks before it looks for the
 * caller. */
export function canLookUp(): boolean {
  if (isRead) return true;
  isRead = wasReadHere();
  return isRead || wasRead(Date.now() / 1000);
}

/** Whether {@link canLookUp} stays true. Callers are remembered only then, because a known caller is answered without
 * asking. */
export const canRemember = (): boolean => isRead;

/** The refusal of credentials until then. */
export const unread = refuse('check_unavailable', 'it is not known yet what other replicas revoked');

/** Only a policy with sessions has the zone. */
const look = (key: string): string | undefined =>
  ngx.shared.meshgate_revoked === undefined ? undefined : revokedDict().get(key);

/** The current epoch of all workers, see {@link EPOCH}. */
const epochNow = (): string | undefined => keysDict().get(EPOCH);

/** Whether a credential is revoked, by what all workers know now.
 *
 * @param what makes the credential's properties; not called while nothing is revoked
 */
export const isRevokedNow = (what: () => Revocable): boolean =>
  hasRevocations(epochNow()) && isRevoked(look, what(), Date.now() / 1000);

/** The last result for a credential that is kept. */
export interface Kept {
  /** The epoch of that result. */
  epoch?: string | undefined;
  revoked?: boolean;
}

/** {@link isRevokedNow} for a credential that is kept: it is looked up again only after something was revoked.
 *
 * @param what makes the credential's properties
 */
export function isKeptRevoked<T extends Kept>(kept: T, what: (kept: T) => Revocable): boolean {
  const epoch = epochNow();
  if (kept.epoch !== epoch || kept.revoked === undefined) {
    kept.epoch = epoch;
    kept.revoked = hasRevocations(epoch) && isRevoked(look, what(kept), Date.now() / 1000);
  }
  return kept.revoked;
}

/** {@link cutBefore}, by what all workers know now. */
export const knownCut = (what: Revocable): number => cutBefore(look, what);
