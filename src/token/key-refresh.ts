import type { Key } from './types.ts';

/** Life cycle of a provider's keys, as the policy sets it; seconds. */
export interface KeyTimes {
  /** Age at which they are fetched again. */
  readonly refresh: number;
  /** Age up to which they are used while the provider has an outage. */
  readonly stale: number;
  /** Shortest time between two attempts to fetch. */
  readonly coolDown: number;
}

/** The stored state of one provider's keys, as JSON. All times are seconds since the epoch. */
export interface KeyState {
  readonly keys: readonly Key[];
  /** Grows when a key is added, removed or renamed. What was verified with the earlier keys must then be checked
   * again. */
  readonly generation: number;
  /** When the keys were last fetched; 0: never. */
  readonly fetchedAt: number;
  /** When the last attempt to fetch began. */
  readonly lastTry: number;
  /** Failed attempts in a row. */
  readonly failures: number;
}

/** Before the first attempt. */
export const noKeys: KeyState = Object.freeze({ keys: [], generation: 0, fetchedAt: 0, lastTry: 0, failures: 0 });

/** Seconds since a time; infinite if the time is in the future, as after a clock was set back. */
function since(time: number, now: number): number {
  return time > now ? Number.POSITIVE_INFINITY : now - time;
}

/** Seconds to wait after the last attempt: twice as long for each further failure, up to the usual interval. */
function pause({ failures }: KeyState, { refresh, coolDown }: KeyTimes): number {
  return failures === 0 ? coolDown : Math.max(coolDown, Math.min(refresh, coolDown * 2 ** Math.min(failures - 1, 30)));
}

/** Whether the periodic job should fetch the keys now. */
export function isDue(state: KeyState, now: number, times: KeyTimes): boolean {
  return since(state.fetchedAt, now) >= times.refresh && since(state.lastTry, now) >= pause(state, times);
}

/** Whether a token with an unknown key may have the keys fetched early. */
export function mayRefetch(state: KeyState, now: number, times: KeyTimes): boolean {
  return since(state.lastTry, now) >= pause(state, times);
}

/** Whether keys are in use that are older than they should be. The log should say so. */
export function isStale(state: KeyState, now: number, times: KeyTimes): boolean {
  return state.fetchedAt > 0 && state.failures > 0 && since(state.fetchedAt, now) > times.refresh;
}

/** The keys to verify with; `undefined` if there are none yet, or only ones that are too old. */
export function usableKeys(state: KeyState, now: number, times: KeyTimes): readonly Key[] | undefined {
  // After a clock was set back their age is not known. They are still used, and are due to be fetched.
  return state.fetchedAt > 0 && now - state.fetchedAt <= times.stale ? state.keys : undefined;
}

/** The state when an attempt begins. */
export function trying(state: KeyState, now: number): KeyState {
  return { ...state, lastTry: now };
}

/** The state after a failed attempt. The keys stay. */
export function failed(state: KeyState, now: number): KeyState {
  return { ...state, lastTry: now, failures: state.failures + 1 };
}

/** Everything that the verification of a token can depend on. */
function selectionOf(keys: readonly Key[]): string {
  return keys
    .map(({ thumbprint, kid, alg }) => JSON.stringify([thumbprint, kid, alg]))
    .sort()
    .join();
}

/** The state after the keys were fetched. The generation changes only if a key was added, removed or renamed. */
export function fetched(state: KeyState, keys: readonly Key[], now: number): KeyState {
  const generation = selectionOf(keys) === selectionOf(state.keys) ? state.generation : state.generation + 1;
  return { keys, generation, fetchedAt: now, lastTry: now, failures: 0 };
}
