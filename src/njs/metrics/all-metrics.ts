import type { Metric } from '../../health/exposition.ts';
import { auditMetrics } from './audit.ts';
import { counterMetrics } from './counters.ts';
import { expiryMetrics } from './expiry.ts';
import { meshMetrics } from './mesh.ts';
import { partMetrics } from './provider-parts.ts';
import type { Seen } from './seen.ts';
import { witnessMetrics } from './witness.ts';
import { zoneMetrics } from './zones.ts';

/** All metrics of `/.meshgate/metrics`, in this order. A test compares docs/metrics.md with this table. */
export const metrics: readonly Metric<Seen>[] = [
  ...counterMetrics,
  ...partMetrics,
  ...expiryMetrics,
  ...zoneMetrics,
  ...auditMetrics,
  ...witnessMetrics,
  ...meshMetrics,
];
