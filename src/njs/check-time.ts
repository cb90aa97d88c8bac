import { bucketOf } from '../health/check-time.ts';
import { count, counterName } from './counts.ts';

/** `js_set` of a variable that nginx reads after a check that took long: counts it. The text is empty, so that nginx
 * writes no line. */
export function countSlow({ variables }: NginxHTTPRequest): string {
  const seconds = Number(variables.request_time);
  if (seconds > 0) {
    count(counterName('slow check', String(bucketOf(seconds))));
    count(SLOW_SUM, seconds);
  }
  return '';
}

/** The name of the sum of these times. */
export const SLOW_SUM = counterName('slow check', 'sum');
