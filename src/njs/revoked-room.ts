import { composed, SEPARATOR } from '../composed.ts';
import { MAX_DICT_ENTRIES, MAX_DICT_TTL_MS, MAX_NUMERIC_DATE } from '../limits.ts';
import { PSID_BYTES, PSID_SHARE } from '../session/limits.ts';
import { FLOOR, mergedSaid, PSID_FLOOR, readSaid, revocationKey, type Said } from '../session/revocation.ts';
import { dictTtl } from './dict-store.ts';
import { locksDict, REVOCATIONS_READ, revokedDict } from './dicts.ts';

/** The used part of the revocations' zone, 0 to 1. Expired entries are removed before. */
export function revokedTaken(): number {
  const dict = revokedDict();
  dict.size();
  return 1 - dict.freeSpace() / dict.capacity;
}

/** Entries that reserve room for {@link FLOOR}. In a full zone, the room of one entry fits only others of its size, and
 * a new text needs room before the old one's is free. So these entries have FLOOR's size, and one of them is replaced
 * by it. */
const SPARES: readonly string[] = [composed('room1'), composed('room2')];

/** Longest number in {@link FLOOR}: all its texts have the same length. */
const DIGITS = String(MAX_NUMERIC_DATE).length;

/** The text of {@link FLOOR}. */
const floorText = ({ before, until, made }: Said): string =>
  [before, until, made].map((time) => String(time).padStart(DIGITS, '0')).join(' ');

/** Whether an entry is not a revocation. */
const isMark = (key: string): boolean => key === REVOCATIONS_READ || SPARES.includes(key);

/** Whether anything is revoked; only a policy with sessions or with revocations has the zone. */
export function anyRevoked(): boolean {
  if (ngx.shared.meshgate_revoked === undefined) return false;
  const dict = revokedDict();
  const marks = [REVOCATIONS_READ, ...SPARES].filter((mark) => dict.has(mark)).length;
  return dict.size() > marks;
}

/** Reserves room for {@link FLOOR}. Called while there is room: when a worker starts, and again after it was used. */
export function keepRoom(): void {
  for (const spare of SPARES) {
    if (revokedDict().has(spare)) continue;
    try {
      revokedDict().set(spare, floorText({ before: 0, until: 0, made: 0 }), MAX_DICT_TTL_MS);
    } catch {
      // The next run tries again.
    }
  }
}

/** Deletes entries of an earlier build that are no longer looked up; returns their number. */
export function dropOld(): number {
  const old = revokedDict()
    .keys(MAX_DICT_ENTRIES)
    .filter((key) => !isMark(key) && !key.includes(SEPARATOR));
  for (const key of old) revokedDict().delete(key);
  return old.length;
}

/** Revocations of names that are not issued again. {@link FLOOR} revokes by time, so it cannot replace them. */
const KEYS = revocationKey('kid', '');

interface Dropped {
  readonly key: string;
  /** The part of {@link FLOOR} that replaces it. */
  readonly said: Said;
}

/**
 * What may make room, the oldest first. Revocations of keys do not: anyone who has a key chooses the time of what it
 * signs.
 *
 * @param beginning begins the names of those that are meant
 */
function droppable(beginning = ''): readonly Dropped[] {
  const all: Dropped[] = [];
  for (const [key, text] of revokedDict().items(MAX_DICT_ENTRIES)) {
    if (key === FLOOR || key === PSID_FLOOR || isMark(key)) continue;
    if (!key.startsWith(beginning) || key.startsWith(KEYS)) continue;
    const { before, until, made } = readSaid(text);
    const stands = before === MAX_NUMERIC_DATE ? made + 1 : Math.max(before, made + 1);
    all.push({ key, said: { before: stands, until, made } });
  }
  return all.sort((a, b) => a.said.before - b.said.before);
}

/**
 * Has {@link FLOOR} stand for revocations; false: there is no room for it.
 *
 * @param name or what else stands for them
 */
function raiseFloor(said: Said, now: number, name = FLOOR): boolean {
  const text = revokedDict().get(name);
  const floor = mergedSaid(said, text === undefined ? undefined : readSaid(text));
  for (const spare of ['', ...SPARES]) {
    if (spare !== '') revokedDict().delete(spare);
    try {
      revokedDict().set(name, floorText(floor), dictTtl(floor.until - now));
      return true;
    } catch {
      // It takes the room of a reserved entry.
    }
  }
  return false;
}

/** Part of the revocations that is dropped at once if there is no room. */
const SHARE = 1 / 16;

/** Drops the oldest revocations, part by part, until something has room. Before they are dropped, everything that was
 * issued before them is revoked instead.
 *
 * @param put tried after each part
 * @returns false if there was never enough room
 */
export function makeRoom(now: number, put: () => boolean): boolean {
  const all = droppable();
  const size = Math.ceil(all.length * SHARE);
  let floor: Said | undefined;
  for (let i = 0; i < all.length; i += size) {
    const part = all.slice(i, i + size);
    for (const { said } of part) floor = mergedSaid(said, floor);
    let stands = raiseFloor(floor as Said, now);
    for (const { key } of part) {
      revokedDict().delete(key);
      // Another worker may have taken the reserved room.
      stands ||= raiseFloor(floor as Said, now);
    }
    if (!stands) continue;
    if (put()) {
      keepRoom();
      return true;
    }
  }
  return false;
}

/** Revocations of providers' sessions whose person is not known. */
const PSIDS = revocationKey('psid', '');

/** Name of a counter of these: they are looked through once in a while, since the zone has many other entries. */
const PSIDS_KEPT = composed('psids kept');

/** Whether it is time to look how many there are; where there is no room to count, it always is. */
function isPsidsDue(most: number): boolean {
  const count = locksDict().incr(PSIDS_KEPT, 1, 0, MAX_DICT_TTL_MS) ?? 0;
  return count % Math.max(1, Math.floor((most * SHARE) / 2)) === 0;
}

/**
 * Drops the oldest revocations of providers' sessions that name no person, where they take more than their part of the
 * zone. {@link PSID_FLOOR} stands for them. To be called after one more was kept.
 *
 * @returns whether any were dropped
 */
export function boundPsids(now: number): boolean {
  const most = Math.floor((revokedDict().capacity * PSID_SHARE) / PSID_BYTES);
  if (!isPsidsDue(most)) return false;
  const all = droppable(PSIDS);
  if (all.length <= most) return false;
  const part = all.slice(0, all.length - Math.floor(most * (1 - SHARE)));
  let floor: Said | undefined;
  for (const { said } of part) floor = mergedSaid(said, floor);
  if (!raiseFloor(floor as Said, now, PSID_FLOOR)) return false;
  for (const { key } of part) revokedDict().delete(key);
  keepRoom();
  return true;
}
