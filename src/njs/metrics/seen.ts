import type { HealthConfig, Readiness } from '../../health/types.ts';
import type { Counts } from '../shared/counts.ts';

/** What the readers of metrics get. */
export interface Seen {
  readonly config: HealthConfig;
  /** What readyz says at this moment. */
  readonly ready: Readiness;
  readonly counts: Counts;
  /** Seconds since the epoch. */
  readonly now: number;
}
