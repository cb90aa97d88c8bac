import { ANSWER_LARGE, ANSWER_MARGIN, ANSWER_SMALL } from '../../base/limits.ts';
import type { HeaderSource, Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../types.ts';

/** Returns the size of an identity header without the caller's names and roles. Lists and claims have no maximum. */
function fixedBytes(source: HeaderSource): number {
  if (typeof source === 'string') return source === 'groups' ? Number.POSITIVE_INFINITY : 0;
  if ('claim' in source) return Number.POSITIVE_INFINITY;
  const values = [...source.firstRole.map(([, value]) => value), source.else ?? ''];
  return Math.max(...values.map((value) => value.length));
}

/** The size of the buffer for the check's response, in bytes. nginx keeps the buffer until the request ends, and a
 * WebSocket can be open for hours. So the buffer is small if the headers contain only names and roles. */
export function answerSize(policy: Policy, rules: readonly Rule[]): number {
  if (policy.gateway.assertion !== undefined || policy.gateway.audit?.claims) return ANSWER_LARGE;
  const routes = policy.hosts.flatMap((host) => host.routes);
  const sizes = routes.map(({ headers }) => Object.values(headers).reduce((sum, it) => sum + fixedBytes(it), 0));
  const fixed = Math.max(0, ...sizes);
  const roles = Object.keys(policy.roles).join(',').length;
  const names = Math.max(0, ...rules.map(({ id, as }) => id.length + as.length));
  // Half of the small buffer is for values of the caller: subject, email and name.
  return 2 * roles + fixed + names <= ANSWER_SMALL / 4 ? ANSWER_SMALL : ANSWER_LARGE;
}

export const answerRoom = (size: number): number => size - ANSWER_MARGIN;
