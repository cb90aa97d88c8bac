import { FROM_CHECK } from '../internal-headers.ts';
import type { HeaderSource } from '../policy/types.ts';

/** Headers that each answer of the check about a caller has, whatever the route's headers are, because nginx logs
 * them. */
const ALWAYS: Readonly<Record<string, string>> = {
  subject: FROM_CHECK.user,
  provider: FROM_CHECK.provider,
  roles: FROM_CHECK.roles,
};

/** Whether each answer about a caller contains the value anyway, in the same encoding. */
export function isAlways(source: HeaderSource): boolean {
  return typeof source === 'string' && Object.hasOwn(ALWAYS, source);
}

/** The header of the check's answer that carries the value of an identity header to nginx.
 *
 * @param index of the identity header among all of the policy
 */
export function carrier(source: HeaderSource, index: number): string {
  return (isAlways(source) ? ALWAYS[source as string] : undefined) ?? `${FROM_CHECK.identity}${index}`;
}
