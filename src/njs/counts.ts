import { composed, decomposed } from '../composed.ts';
import { countsDict, seriesDict } from './dicts.ts';

/* Counters for the metrics. A counter is one number in shared memory, so it survives a reload, and all workers add to
 * it. Its name has what is counted and the values of the labels, which come from the policy or from a list in the code.
 * The names are listed in a zone of their own, so that a scrape reads single numbers and never holds up a worker. */

/** What is counted. A row of the metrics reads each. */
export type Counted = 'decision' | 'verified' | 'slow check' | 'session' | 'refresh' | 'sign-in' | 'revocation';

/** Name of the number of listed names, and of the number of counts that had no room. */
const LISTED = composed('listed');
export const LOST = composed('lost');

/** Returns the name of a counter. */
export const counterName = (of: Counted, ...labels: readonly string[]): string => composed(of, ...labels);

/** Adds a name to the list. The first worker that counts it does this. */
function list(name: string): void {
  const dict = countsDict();
  dict.add(LOST, 0);
  seriesDict().set(String(dict.incr(LISTED, 1, 0)), name);
}

/** Adds to a counter. Every request calls it, so it does nothing else for a counter that exists.
 * @param name from {@link counterName} */
export function count(name: string, by = 1): void {
  try {
    if (countsDict().incr(name, by, 0) === by) list(name);
  } catch {
    noteLost();
  }
}

/** A request is answered whether or not there is room to count it. */
function noteLost(): void {
  try {
    countsDict().incr(LOST, 1, 0);
  } catch {
    // No counter was ever stored, so no metric claims to be complete.
  }
}

/** The value of a counter, with its labels. */
export interface Count {
  readonly of: Counted;
  readonly labels: readonly string[];
  readonly value: number;
}

/** Reads all counters, one by one. */
export function allCounts(): readonly Count[] {
  const dict = countsDict();
  const listed = dict.get(LISTED) ?? 0;
  const counts: Count[] = [];
  for (let i = 1; i <= listed; i++) {
    const name = seriesDict().get(String(i));
    if (name === undefined) continue;
    const [of, ...labels] = decomposed(name);
    counts.push({ of: of as Counted, labels, value: dict.get(name) ?? 0 });
  }
  return counts;
}

/** Begins anew if little room is left because of earlier policies. Prometheus reads this as a restart.
 * @param policy the digest of the policy */
export function forgetEarlier(policy: string): void {
  const [dict, series] = [countsDict(), seriesDict()];
  if (series.get('policy') === policy) return;
  if (dict.freeSpace() < dict.capacity / 2 || series.freeSpace() < series.capacity / 2) {
    dict.clear();
    series.clear();
  }
  series.set('policy', policy);
}
