import { composed } from '../composed.ts';
import { locksDict } from './dicts.ts';

/** One of a limited number of things that all workers together may hold at a time. */
export interface Hold {
  /** How many were held when it was taken, including it. */
  readonly count: number;
  readonly counter: string;
  /** When it is forgotten, even if it was not given back: milliseconds since the epoch. */
  readonly until: number;
}

/** Names of what is held, as the parts of a key. */
type Name = readonly string[];

const counterOf = (name: Name, period: number): string => composed(...name, String(period));

const countAt = (name: Name, period: number): number => locksDict().get(counterOf(name, period)) ?? 0;

/** How many are held. */
export function heldNow(span: number, ...name: Name): number {
  const period = Math.floor(Date.now() / span);
  return countAt(name, period) + countAt(name, period - 1);
}

/**
 * Takes one, whatever number is held; `undefined` where there is no room to count it.
 *
 * There is a counter for each period of time, and those of the present and the last one count. So what a worker held that
 * died is free again after two periods, however many are taken meanwhile: a single counter whose life each of them extends
 * would never forget it.
 *
 * @param span milliseconds, the length of a period; nothing is held longer
 */
export function hold(span: number, ...name: Name): Hold | undefined {
  const now = Date.now();
  const period = Math.floor(now / span);
  const counter = counterOf(name, period);
  const until = (period + 2) * span;
  const count = locksDict().incr(counter, 1, 0, until - now);
  return count === undefined ? undefined : { count: count + countAt(name, period - 1), counter, until };
}

/** Gives one back, once. A counter at zero is deleted, so that names of callers do not fill the memory. */
export function release({ counter, until }: Hold): void {
  const left = until - Date.now();
  const count = left > 0 ? locksDict().incr(counter, -1, 0, left) : undefined;
  if (count !== undefined && count <= 0) locksDict().delete(counter);
}

/** Takes one unless so many are held already, or there is no room to count it. */
export function holdUpTo(most: number, span: number, ...name: Name): Hold | undefined {
  const held = hold(span, ...name);
  if (held === undefined || held.count <= most) return held;
  release(held);
  return undefined;
}
