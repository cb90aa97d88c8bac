import { CHECK_TIME_BOUNDS } from '../../health/check-time.ts';
import { histogram, labelText, type Metric, type Sample } from '../../health/exposition.ts';
import { COUNTED, type Count, LOST } from '../shared/counts.ts';
import { countsDict } from '../shared/dicts.ts';
import type { Seen } from './seen.ts';

/** Returns the sums of counters that a text of labels names. */
function sums(
  counts: readonly Count[],
  labelsOf = ({ labels }: Count): string | undefined => labels,
): readonly Sample[] {
  const found = new Map<string, number>();
  for (const one of counts) {
    const labels = labelsOf(one);
    if (labels !== undefined) found.set(labels, (found.get(labels) ?? 0) + one.value);
  }
  return [...found];
}

/** Key of the number of fast checks that a scrape showed. */
const FAST = 'fast';

/** Returns the histogram of the check's time. Only slow checks are counted by their time; all other decisions were fast.
 * A slow check is counted as a decision a moment earlier, so the number of fast ones could fall, which a counter must
 * not do. */
function checkTimes({ counts }: Seen): readonly Sample[] {
  const countOf = (bucket: string) =>
    counts.slow.find(({ labels }) => labels === labelText(COUNTED.slow, [bucket]))?.value ?? 0;
  const buckets = [...CHECK_TIME_BOUNDS, Number.POSITIVE_INFINITY].map((_, i) => countOf(String(i)));
  const decisions = counts.decision.reduce((sum, { value }) => sum + value, 0);
  const slow = buckets.reduce((sum, value) => sum + value, 0);
  if (decisions === 0) return [];
  const fast = Math.max(decisions - slow, countsDict().get(FAST) ?? 0);
  countsDict().set(FAST, fast);
  buckets[0] = fast;
  return histogram([], CHECK_TIME_BOUNDS, buckets, countOf('sum'));
}

/** What the workers count. */
export const counterMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_decisions_total',
    type: 'counter',
    help: 'Decisions of the check: allowed, or refused with a reason. For a refusal, the rule is the one that came closest.',
    labels: COUNTED.decision,
    read: ({ counts }) => sums(counts.decision),
  },
  {
    name: 'meshgate_unchecked_refusals_total',
    type: 'counter',
    help: 'Requests that nginx refused without a decision of the check, by status.',
    labels: COUNTED.unchecked,
    read: ({ counts }) => sums(counts.unchecked),
  },
  {
    name: 'meshgate_credentials_total',
    type: 'counter',
    help: 'Decisions about known callers, by the kind of their credential: token, session, certificate or anonymous.',
    labels: COUNTED.verified,
    read: ({ counts }) =>
      sums(counts.decision, ({ more }) => (more === '' ? undefined : labelText(COUNTED.verified, [more]))),
  },
  {
    name: 'meshgate_credentials_verified_total',
    type: 'counter',
    help: 'Credentials that were new to a worker and were verified: token, session, certificate or assertion.',
    labels: COUNTED.verified,
    read: ({ counts }) => sums(counts.verified),
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
    labels: COUNTED.session,
    read: ({ counts }) => sums(counts.session),
  },
  {
    name: 'meshgate_session_refreshes_total',
    type: 'counter',
    help: 'Refreshes of sessions at a provider, by their result.',
    labels: COUNTED.refresh,
    read: ({ counts }) => sums(counts.refresh),
  },
  {
    name: 'meshgate_signin_refusals_total',
    type: 'counter',
    help: 'Requests that the sign-in refused, by reason.',
    labels: COUNTED.signin,
    read: ({ counts }) => sums(counts.signin),
  },
  {
    name: 'meshgate_revocations_total',
    type: 'counter',
    help: 'Revocations that this gateway stored, by what they revoke: sid, psid, sub, kid, jti or out (a sign-out).',
    labels: COUNTED.revocation,
    read: ({ counts }) => sums(counts.revocation),
  },
  {
    name: 'meshgate_counts_lost_total',
    type: 'counter',
    help: 'Counts that had no room in the zone meshgate_counts.',
    labels: [],
    read: () => {
      const lost = countsDict().get(LOST);
      return lost === undefined ? [] : [[[], lost]];
    },
  },
];
