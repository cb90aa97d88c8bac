import { ANSWER_LARGE, ANSWER_MARGIN, ANSWER_SMALL } from '../limits.ts';
import type { HeaderSource, Policy } from '../policy/types.ts';
import type { Rule } from './types.ts';

/** The size of one identity header without names and roles of the caller. Lists and claims have no maximum. */
function fixedBytes(source: HeaderSource): number {
  if (typeof source === 'string') return source === 'groups' ? Number.POSITIVE_INFINITY : 0;
  if ('claim' in source) return Number.POSITIVE_INFINITY;
  return Math.max(
    0,
    ...[...source.firstRole.map(([, value]) => value), source.else ?? ''].map((value) => value.length),
  );
}

/** The size of the buffer for the check's response, in bytes. nginx keeps the buffer for as long as the request is
 * open, which for a WebSocket can be hours. So the buffer is small if the headers contain only names and roles. */
export function answerSize(policy: Policy, rules: readonly Rule[]): number {
  if (policy.gateway.assertion !== undefined) return ANSWER_LARGE;
  const routes = policy.hosts.flatMap((host) => host.routes);
  const fixed = Math.max(
    0,
    ...routes.map(({ headers }) => Object.values(headers).reduce((sum, source) => sum + fixedBytes(source), 0)),
  );
  const roles = Object.keys(policy.roles).join(',').length;
  const names = Math.max(0, ...rules.map(({ id, as }) => id.length + as.length));
  // Half of the small buffer is for values of the caller: subject, email and name.
  return 2 * roles + fixed + names <= ANSWER_SMALL / 4 ? ANSWER_SMALL : ANSWER_LARGE;
}

export function answerRoom(size: number): number {
  return size - ANSWER_MARGIN;
}
