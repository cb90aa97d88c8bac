import { exposition } from '../../health/exposition.ts';
import type { Watched } from '../../health/types.ts';
import { readinessNow } from '../health/readyz.ts';
import { allCounts, forgetEarlier } from '../shared/counts.ts';
import { metrics } from './all-metrics.ts';

/** Makes the handler of `/.meshgate/metrics`. */
export function metricsHandler(watched: Watched): (r: NginxHTTPRequest) => Promise<void> {
  return async (r) => {
    const ready = await readinessNow(watched);
    forgetEarlier(watched.policy);
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(200, exposition(metrics, { watched, ready, counts: await allCounts(), now: Date.now() / 1000 }));
  };
}
