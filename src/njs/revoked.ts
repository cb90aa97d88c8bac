import { composed } from '../composed.ts';
import { REPEAT_LINE_S } from '../limits.ts';
import { LOCK_REVOCATIONS_MS, LOCK_REVOCATIONS_TRIES, SIGNOUT_SHARE } from '../session/limits.ts';
import { mergedSaid, readSaid, revocationKey, saidText, withoutList } from '../session/revocation.ts';
import type { Revocation } from '../session/store.ts';
import { count, counterName } from './counts.ts';
import { dictTtl } from './dict-store.ts';
import { locksDict, revokedDict } from './dicts.ts';
import { newEpoch } from './epoch.ts';
import { boundPsids, makeRoom, revokedTaken } from './revoked-room.ts';

/** What the log says if revocations were dropped. readyz reports it too, as long as `FLOOR` exists. */
const DROPPED =
  'the zone meshgate_revoked is full: the oldest revocations were dropped, and every older credential is rejected; enlarge gateway.session.people';

/** What the log says if providers' sign-outs were dropped to make room for newer ones. */
const PSIDS_DROPPED =
  'sign-outs by providers that name a session and no person have filled their part of the zone meshgate_revoked: the oldest made room, and sessions from before them are rejected if their provider names its sessions; have the provider send "sub" in its logout tokens, or enlarge gateway.session.people';

function say(what: 'said dropped' | 'said psids dropped', line: string): void {
  if (locksDict().add(what, 1, REPEAT_LINE_S * 1000)) ngx.log(ngx.ERR, `meshgate: ${line}`);
}

/** Name of the lock. One lock for all is enough, because each use takes microseconds. */
const LOCK = composed('revoking');

/** Waits for the lock. Returns false if the lock could not be taken. */
function locked(): boolean {
  for (let tries = 0; tries < LOCK_REVOCATIONS_TRIES; tries++) {
    // `undefined` means that the zone has no room for the lock; another attempt would not help.
    const isOurs = locksDict().add(LOCK, 1, LOCK_REVOCATIONS_MS);
    if (isOurs !== false) return isOurs === true;
  }
  return false;
}

/** Runs a function while no other worker runs one, because an entry is read, merged and written in three steps. */
function alone<T>(act: () => T): T {
  const isLocked = locked();
  try {
    return act();
  } finally {
    if (isLocked) locksDict().delete(LOCK);
  }
}

/** Stores a revocation for the check of this nginx.
 * @returns whether the revocation is new; then the caller must call {@link newEpoch}
 * @throws Error with one line for the log if there is no room at all */
function keep(one: Revocation): boolean {
  const now = Date.now() / 1000;
  const key = revocationKey(one.kind, one.value);
  const present = revokedDict().get(key);
  const merged = mergedSaid(one, present === undefined ? undefined : readSaid(present));
  // A person's list of ended sessions grows. If sign-outs have used up their part of the zone, all sessions of the
  // person end.
  const grows = one.kind === 'out' && present !== undefined && saidText(merged).length > present.length;
  const said = grows && revokedTaken() >= SIGNOUT_SHARE ? withoutList(merged) : merged;
  const text = saidText(said);
  if (one.until <= now || text === present) return false;
  const put = () => {
    try {
      revokedDict().set(key, text, dictTtl(said.until - now));
      return true;
    } catch {
      return false;
    }
  };
  if (!put()) {
    if (!makeRoom(now, put)) throw new Error('the zone meshgate_revoked is full: enlarge gateway.session.people');
    say('said dropped', DROPPED);
  }
  if (present === undefined) count(counterName('revocation', [one.kind]));
  if (one.kind === 'psid' && present === undefined && boundPsids(now)) say('said psids dropped', PSIDS_DROPPED);
  return true;
}

/** Stores revocations, if necessary in place of the oldest ones, and makes all contexts check their known credentials
 * again.
 * @throws Error with one line for the log if there is no room at all */
export function keepRevoked(revocations: readonly Revocation[]): void {
  let changed = false;
  try {
    for (const revocation of revocations) changed = alone(() => keep(revocation)) || changed;
  } finally {
    if (changed) newEpoch();
  }
}

/** Stores revocations of sessions that people end. They may use only a part of the zone; the rest is for operators and
 * providers.
 * @throws Error with one line for the log if that part is full */
export function keepEnded(revocations: readonly Revocation[]): void {
  const isNew = ({ kind, value }: Revocation) => !revokedDict().has(revocationKey(kind, value));
  if (revokedTaken() >= SIGNOUT_SHARE && revocations.some(isNew)) {
    throw new Error('the zone meshgate_revoked has no room for more sign-outs: enlarge gateway.session.people');
  }
  keepRevoked(revocations);
}
