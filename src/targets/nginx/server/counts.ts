import {
  COUNT_BYTES,
  COUNTS_PER_PROVIDER,
  COUNTS_PER_ROUTE,
  COUNTS_PER_RULE,
  OTHER_COUNTS,
} from '../../../base/limits.ts';
import { fastTimes } from '../../../health/check-time.ts';
import type { Context } from '../render-context.ts';
import {
  type Arg,
  conf,
  type Directive,
  key,
  line,
  literal,
  template,
  type ValuePart,
  variable,
} from '../text/directive.ts';

const PAGE = 64 * 1024;

/** The size in bytes of each zone of counters, with room for all routes, rules and providers of the policy. */
function countsBytes({ policy, hosts }: Pick<Context, 'policy' | 'hosts'>): number {
  const routes = hosts.flatMap((host) => host.routes);
  const rules = routes.reduce((sum, { targets }) => sum + targets.length, 0);
  const providers = Object.keys(policy.providers).length;
  const counts =
    OTHER_COUNTS + routes.length * COUNTS_PER_ROUTE + rules * COUNTS_PER_RULE + providers * COUNTS_PER_PROVIDER;
  return Math.ceil((counts * COUNT_BYTES) / PAGE) * PAGE;
}

/** The zones of the counters for the metrics, and their names. A zone of the same size is kept over a reload. */
export function countZones(context: Context): readonly Directive[] {
  const size = countsBytes(context) >> 10;
  return conf`
    # Counters for the metrics, and their names.
    js_shared_dict_zone zone=meshgate_counts:${size}k type=number;
    js_shared_dict_zone zone=meshgate_series:${size}k type=string;
    map $request_time $meshgate_check_slow { default $meshgate_check_counted; ${fastTimes.map((time) => line(key(time), literal('')))} }
  `;
}

/** Counts the time of a check, if it took long. nginx then reads a variable, and writes no line. */
export const countsTime: readonly Directive[] = conf`access_log /dev/null combined if=$meshgate_check_slow;`;

/** The variable that counts a request which nginx refuses without the check. Its text is empty. */
const COUNTED = variable('meshgate_unchecked');

/** The JavaScript that counts such requests. */
export const countsRefusals: readonly Directive[] = conf`
  js_import meshgate_counts from counts.js;
  js_set ${COUNTED} meshgate_counts.refused;
`;

/** Returns a value for a map that nginx reads only for the log line of such a request, so that counting costs no other
 * request anything. In the nginx of an ingress controller, requests for other hosts share the log, so nothing is counted.
 * @param value undefined for the empty text */
export const andCount = ({ options }: Pick<Context, 'options'>, value?: string | ValuePart): Arg =>
  options.inController ? template(value ?? '') : template(COUNTED, value ?? '');
