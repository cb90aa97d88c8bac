import type { Readiness, Watched } from '../../health/types.ts';
import type { Counts } from '../shared/counts.ts';

/** What the readers of metrics get. */
export interface Seen {
  readonly watched: Watched;
  /** What readyz says at this moment. */
  readonly ready: Readiness;
  readonly counts: Counts;
  /** Seconds since the epoch. */
  readonly now: number;
}
