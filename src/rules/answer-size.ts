import { ANSWER_LARGE, ANSWER_MARGIN, ANSWER_SMALL } from '../limits.ts';
import type { HeaderSource, Policy } from '../policy/types.ts';
import type { Rule } from './types.ts';

/** What one identity header can take beyond the caller's own names and roles; lists and claims have no bound of ours. */
function fixedBytes(source: HeaderSource): number {
  if (typeof source === 'string') return source === 'groups' ? Number.POSITIVE_INFINITY : 0;
  if ('claim' in source) return Number.POSITIVE_INFINITY;
  return Math.max(
    0,
    ...[...source.firstRole.map(([, value]) => value), source.else ?? ''].map((value) => value.length),
  );
}

/**
 * Size of the buffer that nginx reads an answer of the check into, in bytes. nginx keeps it as long as the request is
 * open, a WebSocket for hours, so it is small where all that a caller has are names and roles.
 */
export function answerSize(policy: Policy, rules: readonly Rule[]): number {
  if (policy.gateway.assertion !== undefined) return ANSWER_LARGE;
  const routes = policy.hosts.flatMap((host) => host.routes);
  const fixed = Math.max(
    0,
    ...routes.map(({ headers }) => Object.values(headers).reduce((sum, source) => sum + fixedBytes(source), 0)),
  );
  const roles = Object.keys(policy.roles).join(',').length;
  const names = Math.max(0, ...rules.map(({ id, as }) => id.length + as.length));
  // Half of it is left to what a caller has of their own: subject, email, name.
  return 2 * roles + fixed + names <= ANSWER_SMALL / 4 ? ANSWER_SMALL : ANSWER_LARGE;
}

/** What of an answer the lines about a caller may take, names and all; the rest is for status, rule and challenge. */
export function answerRoom(size: number): number {
  return size - ANSWER_MARGIN;
}
