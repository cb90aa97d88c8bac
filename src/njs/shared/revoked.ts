import { composed } from '../../base/composed-key.ts';
import { MAX_DICT_ENTRIES, MAX_DICT_TTL_MS } from '../../base/limits.ts';
import { LOCK_REVOCATIONS_MS, LOCK_REVOCATIONS_TRIES, SIGNOUT_SHARE } from '../../session/limits.ts';
import { present } from '../../session/revocation/new-revocation.ts';
import {
  earlierPerson,
  type Identifying,
  mergedFloors,
  readReported,
  reportedText,
  revocationKey,
  withoutList,
} from '../../session/revocation/revocation.ts';
import type { Revocation } from '../../session/revocation/store.ts';
import { counterName, increment } from './counts.ts';
import { dictTtl } from './dict-store.ts';
import { locksDict, revokedDict } from './dicts.ts';
import { newEpoch } from './epoch.ts';
import { addClaimNames, boundPsids, dropOld, hasClaimNames, makeRoom, revokedTaken } from './revoked-room.ts';
import { sayOnce } from './say-once.ts';

/** What the log says if revocations were dropped. readyz reports it too, as long as `FLOOR` exists. */
const DROPPED =
  'the zone meshgate_revoked is full: the oldest revocations were dropped, and every older credential is rejected; enlarge gateway.session.people';

/** What the log says if providers' sign-outs were dropped to make room for newer ones. */
const PSIDS_DROPPED =
  'sign-outs by providers that name a session and no person have filled their part of the zone meshgate_revoked: the oldest made room, and sessions from before them are rejected if their provider names its sessions; have the provider send "sub" in its logout tokens, or enlarge gateway.session.people';

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
  const before = revokedDict().get(key);
  const merged = mergedFloors(one, before === undefined ? undefined : readReported(before));
  // A person's list of ended sessions grows. If sign-outs have used up their part of the zone, all sessions of the
  // person end.
  const grows = one.kind === 'out' && before !== undefined && reportedText(merged).length > before.length;
  const reported = grows && revokedTaken() >= SIGNOUT_SHARE ? withoutList(merged) : merged;
  const text = reportedText(reported);
  if (one.until <= now || text === before) return false;
  const put = () => {
    try {
      // The check looks up `sub` for every caller.
      if (one.claim !== undefined && one.claim !== 'sub') addClaimNames([one.claim]);
      revokedDict().set(key, text, dictTtl(reported.until - now));
      return true;
    } catch {
      return false;
    }
  };
  if (!put()) {
    if (!makeRoom(now, put)) throw new Error('the zone meshgate_revoked is full: enlarge gateway.session.people');
    sayOnce('dropped', ngx.ERR, DROPPED);
  }
  if (before === undefined) increment(counterName('revocation', [one.kind]));
  if (one.kind === 'psid' && before === undefined && boundPsids(now)) sayOnce('psids dropped', ngx.ERR, PSIDS_DROPPED);
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

/** Finds what identifies a provider's callers, by the name in the policy. */
type ProviderOf = (name: string) => Identifying | undefined;

/** Logs that revocations of an earlier build are not in force. */
export function sayEarlier(lost: number): void {
  if (lost === 0) return;
  sayOnce('earlier', ngx.ERR, `${lost} revocations of an earlier build are not in force: revoke again`);
}

/** Stores revocations like {@link keepRevoked}, also of an earlier build.
 * @returns how many the policy of today cannot translate, so that they are not in force */
export function keepTranslated(revocations: readonly Revocation[], providerOf: ProviderOf): number {
  const all = revocations.map((one) => present(one, providerOf));
  keepRevoked(all.flat());
  return all.filter((translated) => translated.length === 0).length;
}

const PEOPLE = revocationKey('sub', '');

/** Translates the revocations that an earlier build has left in the zone, once.
 * @returns how many are not in force */
export function keepEarlier(providerOf: ProviderOf): number {
  if (hasClaimNames() || locksDict().add('revocations translated', 1, MAX_DICT_TTL_MS) === false) return 0;
  const dict = revokedDict();
  const earlier = dict
    .items(MAX_DICT_ENTRIES)
    .filter(([key]) => key.startsWith(PEOPLE) && earlierPerson(key.slice(PEOPLE.length)) !== undefined);
  const people = earlier.map(([key, text]): Revocation => {
    return { kind: 'sub', value: key.slice(PEOPLE.length), ...readReported(text) };
  });
  const lost = dropOld() + keepTranslated(people, providerOf);
  for (const [key] of earlier) dict.delete(key);
  try {
    addClaimNames([]);
  } catch {
    // Without room for the list, the next start looks again. Translated revocations stay as they are.
  }
  return lost;
}
