import type { Readiness, Watched } from '../../health/types.ts';
import type { Count } from '../counts.ts';

/** What the readers of metrics get. */
export interface Seen {
  readonly watched: Watched;
  /** What readyz says at this moment. */
  readonly ready: Readiness;
  readonly counts: readonly Count[];
  /** Seconds since the epoch. */
  readonly now: number;
}
