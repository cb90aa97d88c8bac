import { composed } from '../../base/composed-key.ts';
import { locksDict } from './dicts.ts';

/** One unit of a limited resource, such as a waiting check. All workers together may hold a limited number. */
export interface Hold {
  /** How many units are held, this one included. */
  readonly count: number;
  readonly counter: string;
  /** When the unit becomes free even if it was not released; milliseconds since the epoch. */
  readonly until: number;
}

const counterOf = (name: readonly string[], period: number): string => composed(...name, String(period));

const countAt = (name: readonly string[], period: number): number => locksDict().get(counterOf(name, period)) ?? 0;

/** Returns how many units are held.
 * @param name the name of the resource, as the parts of a key */
export function heldNow(span: number, ...name: readonly string[]): number {
  const period = Math.floor(Date.now() / span);
  return countAt(name, period) + countAt(name, period - 1);
}

/** Takes a unit without a limit; `undefined` if the zone has no room to count it. Each period has its own counter, and
 * the counters of the present and the previous period are added. So the units of a worker that died are free after two
 * periods. Each unit would extend the lifetime of a single counter, which would never forget them.
 * @param span length of a period in milliseconds; no unit is held longer */
export function hold(span: number, ...name: readonly string[]): Hold | undefined {
  const now = Date.now();
  const period = Math.floor(now / span);
  const counter = counterOf(name, period);
  const until = (period + 2) * span;
  const count = locksDict().incr(counter, 1, 0, until - now);
  return count === undefined ? undefined : { count: count + countAt(name, period - 1), counter, until };
}

/** Releases a unit; call it only once. A counter at zero is deleted, so that callers' names do not fill the memory. */
export function release({ counter, until }: Hold): void {
  const left = until - Date.now();
  const count = left > 0 ? locksDict().incr(counter, -1, 0, left) : undefined;
  if (count !== undefined && count <= 0) locksDict().delete(counter);
}

/** Takes a unit; `undefined` if the maximum number is held already, or the zone has no room to count it. */
export function holdUpTo(most: number, span: number, ...name: readonly string[]): Hold | undefined {
  const held = hold(span, ...name);
  if (held === undefined || held.count <= most) return held;
  release(held);
  return undefined;
}
