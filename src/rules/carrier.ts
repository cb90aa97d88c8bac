import type { HeaderSource } from '../policy/types.ts';

/** The fields about a caller that each response of the check has, whatever headers the route has, because nginx logs
 * them. */
const ALWAYS: Readonly<Record<string, string>> = { subject: 'user', provider: 'provider', roles: 'roles' };

/** The field of each response that contains this value anyway, in the same encoding; undefined if there is none. */
export function alwaysField(source: HeaderSource): string | undefined {
  return typeof source === 'string' && Object.hasOwn(ALWAYS, source) ? ALWAYS[source] : undefined;
}

/** Whether the value is a list or a claim. It may be long, so it gets its own header in the response: nginx reads each
 * character of the other fields several times. */
export function isLong(source: HeaderSource): boolean {
  return source === 'groups' || (typeof source === 'object' && 'claim' in source);
}
