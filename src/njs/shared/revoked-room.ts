import { composed, SEPARATOR } from '../../base/composed-key.ts';
import { MAX_DICT_ENTRIES, MAX_DICT_TTL_MS, MAX_NUMERIC_DATE } from '../../base/limits.ts';
import { PSID_BYTES, PSID_SHARE } from '../../session/limits.ts';
import {
  FLOOR,
  mergedFloors,
  PSID_FLOOR,
  type RevocationTimes,
  readReported,
  revocationKey,
} from '../../session/revocation/revocation.ts';
import { dictTtl } from './dict-store.ts';
import { locksDict, REVOCATIONS_READ, revokedDict, STORED_NAMES } from './dicts.ts';

/** Returns the used part of the zone of revocations, from 0 to 1. It removes expired entries first. */
export function revokedTaken(): number {
  const dict = revokedDict();
  dict.size();
  return 1 - dict.freeSpace() / dict.capacity;
}

/** Two entries of the same size as {@link FLOOR}, which reserve room for it. In a full zone, the room of a deleted
 * entry fits only entries of the same size, and a new text is written before the old text is erased. One of the entries
 * is deleted when FLOOR needs the room. */
const SPARES: readonly string[] = [composed('room1'), composed('room2')];

/** Number of digits of each time in {@link FLOOR}, so that all its texts have the same length. */
const DIGITS = String(MAX_NUMERIC_DATE).length;

/** Returns the text of {@link FLOOR}. */
const floorText = ({ before, until, made }: RevocationTimes): string =>
  [before, until, made].map((time) => String(time).padStart(DIGITS, '0')).join(' ');

/** Key of the list of claims that revocations of people name. It also says that all of them have the present form. */
const CLAIM_NAMES = composed('claims');

const MARKS: readonly string[] = [REVOCATIONS_READ, CLAIM_NAMES, STORED_NAMES, ...SPARES];

/** Whether an entry is not a revocation. */
const isMark = (key: string): boolean => MARKS.includes(key);

/** Whether the zone has the list of claims. Without it, an earlier build may have written the revocations. */
export const hasClaimNames = (): boolean => revokedDict().has(CLAIM_NAMES);

/** Returns the claims that revocations of people name. */
export function readClaimNames(): readonly string[] {
  const text = revokedDict().get(CLAIM_NAMES);
  return text === undefined ? [] : (JSON.parse(text) as readonly string[]);
}

/** Adds claims to the list.
 * @throws if the zone has no room for it */
export function addClaimNames(more: readonly string[]): void {
  const before = readClaimNames();
  const all = [...new Set([...before, ...more])];
  if (all.length > before.length || !hasClaimNames()) {
    revokedDict().set(CLAIM_NAMES, JSON.stringify(all), MAX_DICT_TTL_MS);
  }
}

/** Whether anything is revoked. Only a policy with sessions or with revocations has the zone. */
export function anyRevoked(): boolean {
  if (ngx.shared.meshgate_revoked === undefined) return false;
  const dict = revokedDict();
  const marks = MARKS.filter((mark) => dict.has(mark)).length;
  return dict.size() > marks;
}

/** Reserves room for {@link FLOOR}. It is called when a worker starts, and after the reserved room was used. */
export function keepRoom(): void {
  for (const spare of SPARES.filter((one) => !revokedDict().has(one))) {
    try {
      revokedDict().set(spare, floorText({ before: 0, until: 0, made: 0 }), MAX_DICT_TTL_MS);
    } catch {
      // The next call tries again.
    }
  }
}

/** Deletes entries of earlier versions that no code looks up any more, and returns their number. */
export function dropOld(): number {
  const old = revokedDict()
    .keys(MAX_DICT_ENTRIES)
    .filter((key) => !isMark(key) && !key.includes(SEPARATOR));
  for (const key of old) revokedDict().delete(key);
  return old.length;
}

/** Prefix of revocations of keys. FLOOR cannot replace them: it revokes by time, which a key does not prove. */
const KEYS = revocationKey('kid', '');

interface Dropped {
  readonly key: string;
  /** The part of {@link FLOOR} that replaces the dropped entry. */
  readonly reported: RevocationTimes;
}

/** Lists the revocations that may be dropped to make room, the oldest first. Revocations of keys must stay: anyone who
 * has a key can choose the times in the texts that the key signs.
 * @param beginning prefix of the keys to list */
function droppable(beginning = ''): readonly Dropped[] {
  const all: Dropped[] = [];
  for (const [key, text] of revokedDict().items(MAX_DICT_ENTRIES)) {
    if (key === FLOOR || key === PSID_FLOOR || isMark(key)) continue;
    if (!key.startsWith(beginning) || key.startsWith(KEYS)) continue;
    const { before, until, made } = readReported(text);
    const stands = before === MAX_NUMERIC_DATE ? made + 1 : Math.max(before, made + 1);
    all.push({ key, reported: { before: stands, until, made } });
  }
  return all.sort((a, b) => a.reported.before - b.reported.before);
}

/** Extends {@link FLOOR}, or another entry, to replace the given revocations. Returns false if it has no room. */
function raiseFloor(reported: RevocationTimes, now: number, name = FLOOR): boolean {
  const text = revokedDict().get(name);
  const floor = mergedFloors(reported, text === undefined ? undefined : readReported(text));
  for (const spare of ['', ...SPARES]) {
    if (spare !== '') revokedDict().delete(spare);
    try {
      revokedDict().set(name, floorText(floor), dictTtl(floor.until - now));
      return true;
    } catch {
      // The next attempt uses the room of a reserved entry.
    }
  }
  return false;
}

/** The part of the revocations that is dropped at a time if there is no room. */
const SHARE = 1 / 16;

/** Drops the oldest revocations, part by part, until `put` returns true, because there is enough room. In their place,
 * everything that was issued before them is revoked. Returns whether `put` succeeded. */
export function makeRoom(now: number, put: () => boolean): boolean {
  const all = droppable();
  const size = Math.ceil(all.length * SHARE);
  let floor: RevocationTimes | undefined;
  for (let i = 0; i < all.length; i += size) {
    const part = all.slice(i, i + size);
    for (const { reported } of part) floor = mergedFloors(reported, floor);
    let stands = raiseFloor(floor as RevocationTimes, now);
    for (const { key } of part) {
      revokedDict().delete(key);
      // Another worker may have taken the reserved room, so the freed room is tried too.
      stands ||= raiseFloor(floor as RevocationTimes, now);
    }
    if (!stands) continue;
    if (put()) {
      keepRoom();
      return true;
    }
  }
  return false;
}

/** Prefix of revocations of providers' sessions whose person is not known. */
const PSIDS = revocationKey('psid', '');

/** Name of the counter of these revocations. They are listed rarely, because many other entries are read with them. */
const PSIDS_KEPT = composed('psids kept');

/** Whether it is time to list and count them. If the counter has no room, they are counted each time. */
function isPsidsDue(most: number): boolean {
  const count = locksDict().incr(PSIDS_KEPT, 1, 0, MAX_DICT_TTL_MS) ?? 0;
  return count % Math.max(1, Math.floor((most * SHARE) / 2)) === 0;
}

/** Drops the oldest revocations of providers' sessions without a person, if they take more than their part of the zone,
 * and lets {@link PSID_FLOOR} replace them. Call it after such a revocation was stored. Returns whether any revocation
 * was dropped. */
export function boundPsids(now: number): boolean {
  const most = Math.floor((revokedDict().capacity * PSID_SHARE) / PSID_BYTES);
  if (!isPsidsDue(most)) return false;
  const all = droppable(PSIDS);
  if (all.length <= most) return false;
  const part = all.slice(0, all.length - Math.floor(most * (1 - SHARE)));
  let floor: RevocationTimes | undefined;
  for (const { reported } of part) floor = mergedFloors(reported, floor);
  if (!raiseFloor(floor as RevocationTimes, now, PSID_FLOOR)) return false;
  for (const { key } of part) revokedDict().delete(key);
  keepRoom();
  return true;
}
