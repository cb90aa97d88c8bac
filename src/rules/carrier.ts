import type { HeaderSource } from '../policy/types.ts';

/** Fields of each answer of the check about a caller, whatever the route's headers are, because nginx logs them. */
const ALWAYS: Readonly<Record<string, string>> = { subject: 'user', provider: 'provider', roles: 'roles' };

/** The field of each answer about a caller that contains the value anyway, in the same encoding; undefined: none. */
export function alwaysField(source: HeaderSource): string | undefined {
  return typeof source === 'string' && Object.hasOwn(ALWAYS, source) ? ALWAYS[source] : undefined;
}

/**
 * Whether the value is a list or a claim, which may be long, and so has a header of its own in the answer. nginx reads each
 * character of the other fields several times.
 */
export function isLong(source: HeaderSource): boolean {
  return source === 'groups' || (typeof source === 'object' && 'claim' in source);
}
