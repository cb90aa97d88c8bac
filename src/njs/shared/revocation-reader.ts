import { refuse } from '../../base/reasons.ts';
import type { Table } from '../../rules/types.ts';
import { cutBefore, isRevoked, type Revocable } from '../../session/revocation/revocation.ts';
import { revokedDict } from './dicts.ts';
import { epochNow, hasRevocations } from './epoch.ts';
import { wasRead, wasReadHere } from './revocations-read.ts';
import { readClaimNames } from './revoked-room.ts';

/* This is the only module that looks up revocations. All code that finds or caches a caller calls it before it answers;
 * docs/sessions.md lists that code. */

/** True once the revocations of other replicas were read. It stays true until nginx restarts. */
let isRead = true;

/** If replicas share revocations, makes this context reject credentials until {@link wasRead} returns true.
 * @returns whether replicas share revocations; if not, {@link canLookUp} need not be called for each request */
export function awaitRevocations({ session }: Pick<Table, 'session'>): boolean {
  const isShared = session?.shared === true;
  isRead = !isShared;
  return isShared;
}

/** Whether revocations can be looked up now. All code that accepts a credential asks this first. */
export function canLookUp(): boolean {
  if (isRead) return true;
  isRead = wasReadHere();
  return isRead || wasRead(Date.now() / 1000);
}

/** Whether {@link canLookUp} will stay true. Only then callers are cached, because known callers skip that check. */
export const canRemember = (): boolean => isRead;

/** The refusal while the revocations of other replicas are not read yet. */
export const unread = refuse('check_unavailable', 'the revocations of other replicas are not known yet');

/** Looks a revocation up. Only a policy with sessions has the zone. */
const look = (key: string): string | undefined =>
  ngx.shared.meshgate_revoked === undefined ? undefined : revokedDict().get(key);

/** Whether a credential is revoked, by the revocations in shared memory.
 * @param what returns the properties by which the credential can be revoked; not called if nothing is revoked */
export const isRevokedNow = (what: () => Revocable): boolean =>
  hasRevocations(epochNow()) && isRevoked(look, what(), Date.now() / 1000);

const none: readonly string[] = Object.freeze([]);

/** The claims that revocations name, and the epoch in which they were read. */
let claims = none;
let claimsEpoch: string | undefined;

/** Returns the claims that revocations name. The subject claim of the present policy need not be among them, because an
 * earlier policy, or that of another replica, can have another one. */
export function revokedClaims(): readonly string[] {
  const epoch = epochNow();
  if (!hasRevocations(epoch)) return none;
  if (claimsEpoch === undefined || claimsEpoch !== epoch) {
    claims = ngx.shared.meshgate_revoked === undefined ? none : readClaimNames();
    claimsEpoch = epoch;
  }
  return claims;
}

export interface Kept {
  /** The epoch in which the result was found. */
  epoch?: string | undefined;
  revoked?: boolean;
}

/** Whether a cached credential is revoked. The gateway looks again only if something was revoked since the last result.
 * @param what returns the properties by which the credential can be revoked */
export function isKeptRevoked<T extends Kept>(kept: T, what: (kept: T) => Revocable): boolean {
  const epoch = epochNow();
  if (kept.epoch !== epoch || kept.revoked === undefined) {
    kept.epoch = epoch;
    kept.revoked = hasRevocations(epoch) && isRevoked(look, what(kept), Date.now() / 1000);
  }
  return kept.revoked;
}

/** Returns the latest cut-off in shared memory for a credential, see {@link cutBefore}. */
export const knownCut = (what: Revocable): number => cutBefore(look, what);
