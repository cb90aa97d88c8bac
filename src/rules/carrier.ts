import { FROM_CHECK } from '../internal-headers.ts';
import type { HeaderSource } from '../policy/types.ts';

/** Answer headers that each answer about a caller has, whatever the route's headers are: nginx logs them. */
const ALWAYS: Readonly<Record<string, string>> = {
  subject: FROM_CHECK.user,
  provider: FROM_CHECK.provider,
  roles: FROM_CHECK.roles,
};

/** Whether the value stands in each answer about a caller anyway, encoded the same. */
export function isAlways(source: HeaderSource): boolean {
  return typeof source === 'string' && Object.hasOwn(ALWAYS, source);
}

/**
 * The header of the check's answer that carries an identity header's value to nginx.
 *
 * @param index of the identity header among all of the policy
 */
export function carrier(source: HeaderSource, index: number): string {
  return (isAlways(source) ? ALWAYS[source as string] : undefined) ?? `${FROM_CHECK.identity}${index}`;
}
