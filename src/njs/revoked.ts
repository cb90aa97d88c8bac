import { MAX_DICT_ENTRIES, REPEAT_LINE_S, SIGNOUT_SHARE } from '../limits.ts';
import { FLOOR, mergedSaid, readSaid, revocationKey, type Said, saidText } from '../session/revocation.ts';
import type { Revocation } from '../session/store.ts';
import { dictTtl } from './dict-store.ts';
import { locksDict, REVOCATIONS_READ, revokedDict } from './dicts.ts';
import { newEpoch } from './epoch.ts';
import { revokedTaken } from './revoked-room.ts';

const readOf = (key: string): Said | undefined => {
  const text = revokedDict().get(key);
  return text === undefined ? undefined : readSaid(text);
};

/** Says that something had to make room: it is said in readyz as well, as long as {@link FLOOR} is there. */
function sayDropped(): void {
  if (!locksDict().add('said dropped', 1, REPEAT_LINE_S * 1000)) return;
  ngx.log(
    ngx.ERR,
    'meshgate: the zone meshgate_revoked is full: the oldest revocation made room, and every credential from before it is rejected; enlarge gateway.session.people',
  );
}

/**
 * Drops the oldest revocation. Whatever was issued before it is revoked in its place.
 *
 * @returns false where there is none
 */
function makeRoom(now: number): boolean {
  let oldest: { readonly key: string; readonly said: Said } | undefined;
  for (const [key, text] of revokedDict().items(MAX_DICT_ENTRIES)) {
    if (key === FLOOR || key === REVOCATIONS_READ) continue;
    const said = readSaid(text);
    if (oldest === undefined || said.made < oldest.said.made) oldest = { key, said };
  }
  if (oldest === undefined) return false;
  revokedDict().delete(oldest.key);
  const { until, made } = oldest.said;
  const floor = mergedSaid({ before: made + 1, until, made }, readOf(FLOOR));
  revokedDict().set(FLOOR, saidText(floor), dictTtl(floor.until - now));
  sayDropped();
  return true;
}

/**
 * Keeps a revocation where the check looks, on this nginx.
 *
 * @returns whether it says anything new; then {@link newEpoch} is to follow
 * @throws Error with one line for the log where there is no room at all
 */
function keep(one: Revocation): boolean {
  const now = Date.now() / 1000;
  const key = revocationKey(one.kind, one.value);
  const present = revokedDict().get(key);
  const said = mergedSaid(one, present === undefined ? undefined : readSaid(present));
  const text = saidText(said);
  if (one.until <= now || text === present) return false;
  for (;;) {
    try {
      revokedDict().set(key, text, dictTtl(said.until - now));
      return true;
    } catch {
      if (!makeRoom(now)) throw new Error('the zone meshgate_revoked is full: enlarge gateway.session.people');
    }
  }
}

/**
 * Keeps revocations, and has what is known of credentials looked at again. Where there is no room the oldest make some.
 *
 * @throws Error with one line for the log where there is no room at all
 */
export function keepRevoked(revocations: readonly Revocation[]): void {
  let changed = false;
  try {
    for (const revocation of revocations) changed = keep(revocation) || changed;
  } finally {
    if (changed) newEpoch();
  }
}

/**
 * {@link keepRevoked} of what people end by themselves. They have a part of the room: the rest is for operators, and for
 * what providers say.
 *
 * @throws Error with one line for the log where that part is taken
 */
export function keepEnded(revocations: readonly Revocation[]): void {
  const isNew = ({ kind, value }: Revocation) => !revokedDict().has(revocationKey(kind, value));
  if (revokedTaken() >= SIGNOUT_SHARE && revocations.some(isNew)) {
    throw new Error('the zone meshgate_revoked has no room for more sign-outs: enlarge gateway.session.people');
  }
  keepRevoked(revocations);
}
