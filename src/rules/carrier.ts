import type { HeaderSource } from '../policy/types.ts';

/** The fields about a caller that each response of the check has, because nginx logs them. */
const ALWAYS: Readonly<Record<string, string>> = { subject: 'user', provider: 'provider', roles: 'roles' };

/** The field of each response that contains this value anyway; undefined if there is none. */
export const alwaysField = (source: HeaderSource): string | undefined =>
  typeof source === 'string' && Object.hasOwn(ALWAYS, source) ? ALWAYS[source] : undefined;

/** Whether the value may be long. It gets its own header: nginx reads other fields several times. */
export const isLong = (source: HeaderSource): boolean =>
  source === 'groups' || (typeof source === 'object' && 'claim' in source);
