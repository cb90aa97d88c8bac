import { fastTimes } from '../../health/check-time.ts';
import { COUNT_BYTES, COUNTS_PER_PROVIDER, COUNTS_PER_ROUTE, COUNTS_PER_RULE, OTHER_COUNTS } from '../../limits.ts';
import { conf, type Directive, key, line, literal } from './directive.ts';
import type { Scene } from './scene.ts';

const PAGE = 64 * 1024;

/** The size in bytes of each zone of counters, with room for all routes, rules and providers of the policy. */
export function countsBytes({ policy, hosts }: Pick<Scene, 'policy' | 'hosts'>): number {
  const routes = hosts.flatMap((host) => host.routes);
  const rules = routes.reduce((sum, { targets }) => sum + targets.length, 0);
  const providers = Object.keys(policy.providers).length;
  const counts =
    OTHER_COUNTS + routes.length * COUNTS_PER_ROUTE + rules * COUNTS_PER_RULE + providers * COUNTS_PER_PROVIDER;
  return Math.ceil((counts * COUNT_BYTES) / PAGE) * PAGE;
}

/** The zones of the counters for the metrics, and their names. A zone of the same size is kept over a reload. */
export function countZones(scene: Scene): readonly Directive[] {
  const size = countsBytes(scene) >> 10;
  return conf`
    # Counters for the metrics, and their names.
    js_shared_dict_zone zone=meshgate_counts:${size}k type=number;
    js_shared_dict_zone zone=meshgate_series:${size}k type=string;
    map $request_time $meshgate_check_slow { default $meshgate_check_counted; ${fastTimes.map((time) => line(key(time), literal('')))} }
  `;
}

/** Counts the time of a check, if it took long. nginx then reads a variable, and writes no line. */
export const countsTime: readonly Directive[] = conf`access_log /dev/null combined if=$meshgate_check_slow;`;
