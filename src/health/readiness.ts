import { WATCH_MAX_AGE_S } from '../base/limits.ts';
import { REVOCATIONS_OLD_S, REVOKED_ALARM } from '../session/limits.ts';
import { type KeyState, noKeys, usableKeys } from '../token/keys/key-refresh.ts';
import { type HealthReason, healthReasons, type Part, type Readiness } from './types.ts';

const ok: Part = { state: 'ok' };

/** Returns a part that has failed, which makes the gateway unready. */
export function failed(reason: HealthReason): Part {
  return { state: 'failed', reason, help: healthReasons[reason] };
}

/** Returns a part for which the gateway only knows whether it works. */
export function working(works: boolean, reason: HealthReason): Part {
  return works ? ok : failed(reason);
}

/** Returns the state of a provider's keys, which may be used for `stale` seconds in an outage of the provider. */
export function keysPart(state: KeyState | undefined, stale: number, now: number): Part {
  const known = state ?? noKeys;
  if (known.fetchedAt === 0) return failed('keys_missing');
  const age = Math.max(0, Math.floor(now - known.fetchedAt));
  const keys = usableKeys(known, now, { stale, refresh: stale, coolDown: stale });
  if (keys === undefined) return { ...failed('keys_stale'), age };
  if (keys.length === 0) return { ...failed('keys_missing'), age };
  const reported = { keys: keys.length, age };
  if (known.failures === 0) return { ...ok, ...reported };
  return { state: 'warning', reason: 'provider_unreachable', help: healthReasons.provider_unreachable, ...reported };
}

/** Returns the state of revocations. The gateway is ready, unless they were never read.
 * @param taken used part of the zone, from 0 to 1
 * @param age seconds since all revocations of other replicas were known; absent if there are no other replicas
 * @param more `unread`: they were never read; `dropped`: some were dropped for lack of room */
export function revocationsPart(
  taken: number,
  age: number | undefined,
  { unread = false, dropped = false }: { readonly unread?: boolean; readonly dropped?: boolean } = {},
): Part {
  const reported = { taken: Math.round(100 * taken), ...(age !== undefined && { age: Math.max(0, Math.floor(age)) }) };
  if (unread) return { ...failed('revocations_unread'), ...reported };
  const reason: HealthReason | undefined = dropped
    ? 'revocations_dropped'
    : age !== undefined && age >= REVOCATIONS_OLD_S
      ? 'revocations_old'
      : taken >= REVOKED_ALARM
        ? 'revocations_nearly_full'
        : undefined;
  return reason === undefined
    ? { ...ok, ...reported }
    : { state: 'warning', reason, help: healthReasons[reason], ...reported };
}

/** A part, with its place in the result of readyz: `name` is empty if there is only one part of this kind. */
type Placed = readonly [kind: string, name: string, part: Part];

const isPart = (value: Part | Readonly<Record<string, Part>>): value is Part => typeof value.state === 'string';

/** Returns all parts with their places. */
export function partsOf(parts: Omit<Readiness, 'ready'>): readonly Placed[] {
  const { policy: _, ...kinds } = parts;
  return Object.entries(kinds).flatMap(([kind, value]): readonly Placed[] => {
    if (typeof value !== 'object') return [];
    if (isPart(value)) return [[kind, '', value]];
    return Object.entries(value).map(([name, part]): Placed => [kind, name, part]);
  });
}

/** Joins all parts. The gateway is ready if no part has failed. */
export function readiness(parts: Omit<Readiness, 'ready'>): Readiness {
  return { ready: partsOf(parts).every(([, , { state }]) => state !== 'failed'), ...parts };
}

const warning = (reason: HealthReason): Part => ({ state: 'warning', reason, help: healthReasons[reason] });

/** Returns whether the image's watcher loads changes of the files. nginx serves what it has loaded in any case.
 * @param age seconds since the watcher's last turn
 * @param rejected why it has rejected the files that are mounted now */
export function changesPart(age: number, rejected: string | undefined): Part {
  if (age > WATCH_MAX_AGE_S) return warning('watcher_stopped');
  if (rejected === undefined) return { state: 'ok' };
  return { ...warning('change_rejected'), why: rejected.trim() };
}
