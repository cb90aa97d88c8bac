import { refuse } from '../reasons.ts';
import type { Table } from '../rules/types.ts';
import { cutBefore, isRevoked, type Revocable } from '../session/revocation.ts';
import { keysDict, revokedDict } from './dicts.ts';
import { EPOCH, hasRevocations } from './epoch.ts';
import { wasRead, wasReadHere } from './revocations-read.ts';

/*
 * The one reader of revocations. Each path that makes a caller, or keeps one, asks here before it answers; the table in
 * docs/sessions.md lists them all.
 */

/** Whether other replicas' revocations were read since nginx started: then they are known while it runs. */
let isRead = true;

/**
 * Has this context reject credentials until {@link wasRead}, where replicas share what is revoked.
 *
 * @returns whether they do; where not, {@link canLookUp} need not be asked for each request
 */
export function awaitRevocations({ session }: Pick<Table, 'session'>): boolean {
  const isShared = session?.shared === true;
  isRead = !isShared;
  return isShared;
}

/** Whether credentials can be looked up now. Each path that takes one asks, before it looks for the caller. */
export function canLookUp(): boolean {
  if (isRead) return true;
  isRead = wasReadHere();
  return isRead || wasRead(Date.now() / 1000);
}

/** Whether {@link canLookUp} stays true. What is remembered without a look at it is remembered from then on only. */
export const canRemember = (): boolean => isRead;

/** What a credential is told meanwhile. */
export const unread = refuse('check_unavailable', 'it is not known yet what other replicas revoked');

/** Only a policy with sessions has the zone. */
const look = (key: string): string | undefined =>
  ngx.shared.meshgate_revoked === undefined ? undefined : revokedDict().get(key);

/** The epoch as all workers share it now, see {@link EPOCH}. */
const epochNow = (): string | undefined => keysDict().get(EPOCH);

/**
 * Whether a credential is revoked, by what all workers know now.
 *
 * @param what makes what the credential can be revoked by; it is not asked while nothing is revoked
 */
export const isRevokedNow = (what: () => Revocable): boolean =>
  hasRevocations(epochNow()) && isRevoked(look, what(), Date.now() / 1000);

/** What was last found of a credential that is kept. */
export interface Kept {
  /** The epoch in which it was looked up. */
  epoch?: string | undefined;
  revoked?: boolean;
}

/**
 * {@link isRevokedNow} of a credential that is kept: it is looked up again only after something was revoked.
 *
 * @param what makes what the credential can be revoked by
 */
export function isKeptRevoked<T extends Kept>(kept: T, what: (kept: T) => Revocable): boolean {
  const epoch = epochNow();
  if (kept.epoch !== epoch || kept.revoked === undefined) {
    kept.epoch = epoch;
    kept.revoked = hasRevocations(epoch) && isRevoked(look, what(kept), Date.now() / 1000);
  }
  return kept.revoked;
}

/** {@link cutBefore} by what all workers know now. */
export const knownCut = (what: Revocable): number => cutBefore(look, what);
