import type { HeaderSource } from '../../policy/checked/types.ts';

/** The fields that each response of the check contains, because nginx logs them. */
const ALWAYS: Readonly<Record<string, string>> = { subject: 'user', provider: 'provider', roles: 'roles' };

/** Returns the field that contains this value in each response of the check; undefined if there is no such field. */
export const alwaysField = (source: HeaderSource): string | undefined =>
  typeof source === 'string' && Object.hasOwn(ALWAYS, source) ? ALWAYS[source] : undefined;

/** Whether the value may be long. A long value gets its own header, because nginx reads other fields several times. */
export const isLong = (source: HeaderSource): boolean =>
  source === 'groups' || (typeof source === 'object' && 'claim' in source);
