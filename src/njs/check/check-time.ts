import { bucketOf } from '../../health/check-time.ts';
import { counterName, increment } from '../shared/counts.ts';

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
