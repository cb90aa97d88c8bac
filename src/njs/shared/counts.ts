import { bucketOf } from '../../health/check-time.ts';
import { labelText } from '../../health/exposition.ts';
import { countsDict, seriesDict } from './dicts.ts';

/* Counters for the metrics. A counter is one number in shared memory, so it survives a reload, and all workers add to
 * it. Its name has the labels as the metric shows them, so that a scrape need not take it apart. The names are listed in
 * a zone of their own, so that a scrape reads single numbers and never holds up a worker. */

/** What is counted, with the labels of its metric. The values of labels come from the policy or from a list in the
 * code. */
export const COUNTED = {
  decision: ['route', 'rule', 'decision', 'reason'],
  verified: ['kind'],
  slow: ['bucket'],
  session: ['event'],
  refresh: ['provider', 'result'],
  signin: ['reason'],
  revocation: ['kind'],
  unchecked: ['status'],
} as const;

type Counted = keyof typeof COUNTED;

/** Separates the parts of a name. The text of labels does not contain it. */
const SEPARATOR = '\n';

/** Names of other numbers in the zone: how many names are listed, and how many counts had no room. */
const LISTED = 'listed';
export const LOST = 'lost';

/** Returns the name of a counter.
 * @param values the values of the labels
 * @param more a detail that the metric adds up, and another one shows */
export const counterName = (of: Counted, values: readonly string[], more = ''): string =>
  of + SEPARATOR + labelText(COUNTED[of], values) + SEPARATOR + more;

/** Adds a name to the list. The first worker that counts it does this.
 * @throws Error if the zone of names has no room. Then the list has not grown, and no scrape reads an empty place of it. */
function list(name: string): void {
  const [dict, series] = [countsDict(), seriesDict()];
  dict.add(LOST, 0);
  let place = (dict.get(LISTED) ?? 0) + 1;
  // Another worker may take the same place.
  while (!series.add(String(place), name)) place++;
  dict.incr(LISTED, 1, 0);
}

let dict: ReturnType<typeof countsDict> | undefined;

/** Adds to a counter. Every request calls it, so it does nothing else for a counter that exists.
 * @param name from {@link counterName} */
export function increment(name: string, by = 1): void {
  try {
    dict ??= countsDict();
    if (dict.incr(name, by, 0) === by) list(name);
  } catch {
    forget(name);
  }
}

/** Removes a counter that has no name in the list, so that it is new again, and each of its counts is noted as lost. A
 * request is answered whether or not there is room to count it. */
function forget(name: string): void {
  try {
    countsDict().delete(name);
    countsDict().incr(LOST, 1, 0);
  } catch {
    // No counter was ever stored, so no metric claims to be complete.
  }
}

/** The value of a counter. */
export interface Count {
  /** The labels as the metric shows them. */
  readonly labels: string;
  readonly more: string;
  readonly value: number;
}

export type Counts = Readonly<Record<Counted, readonly Count[]>>;

/** Number of counters that are read at a time. After that, the worker handles requests. */
const AT_ONCE = 500;

/** Reads all counters, one by one. */
export async function allCounts(): Promise<Counts> {
  const dict = countsDict();
  const series = seriesDict();
  const listed = dict.get(LISTED) ?? 0;
  const all: Record<Counted, Count[]> = {
    ...{ decision: [], verified: [], slow: [], session: [] },
    ...{ refresh: [], signin: [], revocation: [], unchecked: [] },
  };
  for (let i = 1; i <= listed; i++) {
    if (i % AT_ONCE === 0) await new Promise<void>((resolve) => setTimeout(resolve, 1));
    const name = series.get(String(i));
    if (name === undefined) continue;
    const first = name.indexOf(SEPARATOR);
    const last = name.indexOf(SEPARATOR, first + 1);
    all[name.slice(0, first) as Counted]?.push({
      labels: name.slice(first + 1, last),
      more: name.slice(last + 1),
      value: dict.get(name) ?? 0,
    });
  }
  return all;
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

/** `js_set` of a variable that nginx reads after a check that took long: counts it. The text is empty, so that nginx
 * writes no line. */
export function countSlow({ variables }: NginxHTTPRequest): string {
  const seconds = Number(variables.request_time);
  if (seconds > 0) {
    increment(counterName('slow', [String(bucketOf(seconds))]));
    increment(counterName('slow', [SUM]), seconds);
  }
  return '';
}

/** In place of a bucket: the sum of these times. */
const SUM = 'sum';
