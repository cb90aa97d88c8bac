import { ANSWER_LARGE, ANSWER_MARGIN, ANSWER_SMALL } from '../limits.ts';
import type { HeaderSource, Policy } from '../policy/types.ts';
import type { Rule } from './types.ts';

/** Size of one identity header without the caller's own names and roles. Lists and claims have no fixed bound. */
function fixedBytes(source: HeaderSource): number {
  if (typeof source === 'string') return source === 'groups' ? Number.POSITIVE_INFINITY : 0;
  if ('claim' in source) return Number.POSITIVE_INFINITY;
  return Math.max(
    0,
    ...[...source.firstRole.map(([, value]) => value), source.else ?? ''].map((value) => value.length),
  );
}

/** Size of the buffer for the check's answer, in bytes. nginx keeps the buffer as long as the request is open, for a
 * WebSocket that is hours, so it is small if callers have only names and roles. */
export function answerSize(policy: Policy, rules: readonly Rule[]): number {
  if (policy.gateway.assertion !== undefined) return ANSWER_LARGE;
  const routes = policy.hosts.flatMap((host) => host.routes);
  const fixed = Math.max(
    0,
    ...routes.map(({ headers }) => Object.values(headers).reduce((sum, source) => sum + fixedBytes(source), 0)),
  );
  const roles = Object.keys(policy.roles).join(',').length;
  const names = Math.max(0, ...rules.map(({ id, as }) => id.length + as.length));
  // Half of it is for the caller's own values: subject, email, name.
  return 2 * roles + fixed + names <= ANSWER_SMALL / 4 ? ANSWER_SMALL : ANSWER_LARGE;
}

/** The part of an answer for the headers about a caller. The rest is for status, rule and challenge. */
export function answerRoom(size: number): number {
  return size - ANSWER_MARGIN;
}
