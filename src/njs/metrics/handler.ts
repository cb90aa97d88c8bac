import { exposition, type Metric } from '../../health/exposition.ts';
import type { HealthConfig } from '../../health/types.ts';
import { readinessNow } from '../health/readyz.ts';
import { allCounts, forgetEarlier } from '../shared/counts.ts';
import { auditMetrics, witnessMetrics } from './audit.ts';
import { counterMetrics } from './counters.ts';
import { expiryMetrics } from './expiry.ts';
import { meshMetrics } from './mesh.ts';
import { partMetrics } from './provider-parts.ts';
import type { Seen } from './seen.ts';
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

/** Makes the handler of `/.meshgate/metrics`. */
export function metricsHandler(config: HealthConfig): (r: NginxHTTPRequest) => Promise<void> {
  return async (r) => {
    const ready = await readinessNow(config);
    forgetEarlier(config.policy);
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(200, exposition(metrics, { config, ready, counts: await allCounts(), now: Date.now() / 1000 }));
  };
}
