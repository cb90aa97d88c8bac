import type { Refusal } from '../../base/reasons.ts';
import { parseClaims, parseHeader, splitJws } from '../format.ts';
import { tokenProvider } from '../issuer.ts';
import type { ProviderKey, TokenProvider } from '../types.ts';

/** The lifetimes of a provider's keys, as the policy sets them, in seconds. */
interface KeyTimes {
  /** Age at which the keys are fetched again. */
  readonly refresh: number;
  /** Age up to which the keys are used while the provider has an outage. */
  readonly stale: number;
  /** Minimum time between two attempts to fetch the keys. */
  readonly coolDown: number;
}

/** The stored state of one provider's keys, as JSON. All times are seconds since the epoch. */
export interface KeyState {
  readonly keys: readonly ProviderKey[];
  /** Increases when a key is added, removed or renamed, so that earlier results are checked again. */
  readonly generation: number;
  /** When the keys were last fetched; 0 if never. */
  readonly fetchedAt: number;
  readonly lastTry: number;
  readonly failures: number;
}

export const noKeys: KeyState = Object.freeze({ keys: [], generation: 0, fetchedAt: 0, lastTry: 0, failures: 0 });

/** Returns the seconds since a time; infinite if it is in the future, for example after a clock was set back. */
const since = (time: number, now: number): number => (time > now ? Number.POSITIVE_INFINITY : now - time);

/** Returns the seconds to wait after the last attempt. Each further failure doubles them, up to the usual interval. */
function pause({ failures }: KeyState, { refresh, coolDown }: KeyTimes): number {
  return failures === 0 ? coolDown : Math.max(coolDown, Math.min(refresh, coolDown * 2 ** Math.min(failures - 1, 30)));
}

/** Whether the periodic job should fetch the keys now. */
export function isDue(state: KeyState, now: number, times: KeyTimes): boolean {
  return since(state.fetchedAt, now) >= times.refresh && since(state.lastTry, now) >= pause(state, times);
}

/** Whether a token with an unknown key may cause an early fetch. */
export function mayRefetch(state: KeyState, now: number, times: KeyTimes): boolean {
  return since(state.lastTry, now) >= pause(state, times);
}

/** Whether the keys in use are older than they should be, so that the log should report it. */
export function areKeysStale(state: KeyState, now: number, times: KeyTimes): boolean {
  return state.fetchedAt > 0 && state.failures > 0 && since(state.fetchedAt, now) > times.refresh;
}

/** Returns the keys that verify tokens; `undefined` if there are none yet, or all are too old. */
export function usableKeys(state: KeyState, now: number, times: KeyTimes): readonly ProviderKey[] | undefined {
  // After a clock was set back, the age of the keys is not known. They are due to be fetched, and stay in use.
  return state.fetchedAt > 0 && now - state.fetchedAt <= times.stale ? state.keys : undefined;
}

/** Returns the state at the beginning of an attempt. */
export const trying = (state: KeyState, now: number): KeyState => ({ ...state, lastTry: now });

/** Returns the state after a failed attempt. The keys stay. */
export function afterFailure(state: KeyState, now: number): KeyState {
  return { ...state, lastTry: now, failures: state.failures + 1 };
}

/** Returns everything in the keys on which the verification of a token can depend. */
function selectionOf(keys: readonly ProviderKey[]): string {
  const names = keys.map(({ thumbprint, kid, alg }) => JSON.stringify([thumbprint, kid, alg]));
  return names.sort().join();
}

/** Returns the state after the keys were fetched, in a new generation if a key was added, removed or renamed. */
export function fetched(state: KeyState, keys: readonly ProviderKey[], now: number): KeyState {
  const generation = selectionOf(keys) === selectionOf(state.keys) ? state.generation : state.generation + 1;
  return { keys, generation, fetchedAt: now, lastTry: now, failures: 0 };
}

/** Returns the provider whose keys must be fetched before a refusal is final, if newer keys could change the result: no
 * key matched, no keys are known, or a token without `kid` may have been signed with a new key. */
export function providerToAsk(token: string, { reason }: Refusal, providers: readonly TokenProvider[]) {
  if (reason !== 'key_unknown' && reason !== 'provider_unavailable' && reason !== 'signature_invalid') return undefined;
  const jws = splitJws(token);
  if (!jws.ok) return undefined;
  if (reason === 'signature_invalid') {
    const header = parseHeader(jws.header);
    if (!header.ok || header.value.kid !== undefined) return undefined;
  }
  if (providers.length === 1) return providers[0];
  const claims = parseClaims(jws.payload);
  return claims && tokenProvider(claims, providers);
}
