import { CHECK_TIME_BOUNDS } from '../../health/check-time.ts';
import { histogram, type Metric, type Sample } from '../../health/exposition.ts';
import { type Counted, counterName, LOST } from '../counts.ts';
import { countsDict } from '../dicts.ts';
import type { Seen } from './seen.ts';

/** Returns the sums of counters, by the labels that `labelled` returns; undefined: the counter does not belong here. */
function sums(
  { counts }: Seen,
  of: Counted,
  labelled: (labels: readonly string[]) => readonly string[] | undefined = (labels) => labels,
): readonly Sample[] {
  const found = new Map<string, { readonly labels: readonly string[]; sum: number }>();
  for (const { of: is, labels: all, value } of counts) {
    const labels = is === of ? labelled(all) : undefined;
    if (labels === undefined) continue;
    const key = counterName(of, ...labels);
    const known = found.get(key);
    if (known === undefined) found.set(key, { labels, sum: value });
    else known.sum += value;
  }
  return [...found.values()].map(({ labels, sum }): Sample => [labels, sum]);
}

/** Key of the number of fast checks that a scrape showed. */
const FAST = counterName('slow check', 'fast');

/** Returns the histogram of the check's time. Only slow checks are counted by their time; all other decisions were fast.
 * A slow check is counted as a decision a moment earlier, so the number of fast ones could fall, which a counter must
 * not do. */
function checkTimes({ counts }: Seen): readonly Sample[] {
  let [decisions, slow, sum] = [0, 0, 0];
  const buckets: number[] = CHECK_TIME_BOUNDS.map(() => 0);
  for (const { of, labels, value } of counts) {
    if (of === 'decision') decisions += value;
    if (of !== 'slow check') continue;
    if (labels[0] === 'sum') {
      sum = value;
      continue;
    }
    buckets[Number(labels[0])] = value;
    slow += value;
  }
  if (decisions === 0) return [];
  const fast = Math.max(decisions - slow, countsDict().get(FAST) ?? 0);
  countsDict().set(FAST, fast);
  buckets[0] = fast;
  return histogram([], CHECK_TIME_BOUNDS, buckets, sum);
}

/** What the workers count. */
export const counterMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_decisions_total',
    type: 'counter',
    help: 'Decisions of the check: allowed, or refused with a reason. For a refusal, the rule is the one that came closest.',
    labels: ['route', 'rule', 'decision', 'reason'],
    read: (seen) =>
      sums(seen, 'decision', ([route = '', rule = '', reason = '']) => [
        route,
        rule,
        reason === '' ? 'allowed' : 'refused',
        reason,
      ]),
  },
  {
    name: 'meshgate_credentials_total',
    type: 'counter',
    help: 'Decisions about known callers, by the kind of their credential: token, session, certificate or anonymous.',
    labels: ['kind'],
    read: (seen) => sums(seen, 'decision', ([, , , kind = '']) => (kind === '' ? undefined : [kind])),
  },
  {
    name: 'meshgate_credentials_verified_total',
    type: 'counter',
    help: 'Credentials that were new to a worker and were verified: token, session, certificate or assertion.',
    labels: ['kind'],
    read: (seen) => sums(seen, 'verified'),
  },
  {
    name: 'meshgate_check_duration_seconds',
    type: 'histogram',
    help: 'The time of a check. The sum counts only checks of more than 5 ms.',
    labels: ['le'],
    read: checkTimes,
  },
  {
    name: 'meshgate_session_events_total',
    type: 'counter',
    help: 'Sessions that people started, continued by a further sign-in, or ended by a sign-out.',
    labels: ['event'],
    read: (seen) => sums(seen, 'session'),
  },
  {
    name: 'meshgate_session_refreshes_total',
    type: 'counter',
    help: 'Refreshes of sessions at a provider, by their result.',
    labels: ['provider', 'result'],
    read: (seen) => sums(seen, 'refresh'),
  },
  {
    name: 'meshgate_signin_refusals_total',
    type: 'counter',
    help: 'Requests that the sign-in refused, by reason.',
    labels: ['reason'],
    read: (seen) => sums(seen, 'sign-in'),
  },
  {
    name: 'meshgate_revocations_total',
    type: 'counter',
    help: 'Revocations that this gateway stored, by what they revoke: sid, psid, sub, kid, jti or out (a sign-out).',
    labels: ['kind'],
    read: (seen) => sums(seen, 'revocation'),
  },
  {
    name: 'meshgate_counts_lost_total',
    type: 'counter',
    help: 'Counts that had no room in the zone meshgate_counts.',
    labels: [],
    read: ({ counts }) => (counts.length === 0 ? [] : [[[], countsDict().get(LOST) ?? 0]]),
  },
];
