import { MAX_HEADER_VALUE } from '../limits.ts';
import type { HeaderSource } from '../policy/types.ts';
import { encodeList, encodeValue } from './encode.ts';
import type { Caller } from './types.ts';

/** A string, number or boolean as text; empty for anything else. A number that is not a safe integer has no text:
 * several numbers are read as the same one, so two people could get one text. */
function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : '';
    case 'boolean':
      return String(value);
    default:
      return '';
  }
}

function claimValue(claim: unknown): string {
  return Array.isArray(claim) ? encodeList(claim.map(textOf)) : encodeValue(textOf(claim));
}

function wholeValue(source: HeaderSource, caller: Caller): string {
  switch (source) {
    case 'subject':
      return encodeValue(caller.subject);
    case 'email':
      return encodeValue(caller.email ?? '');
    case 'name':
      return encodeValue(caller.name ?? '');
    // Names in a policy are plain words.
    case 'provider':
      return caller.provider;
    case 'actor':
      return encodeValue(caller.actors?.[0] ?? '');
    case 'groups':
      return encodeList(caller.groups);
    case 'roles':
      return caller.roles.join(',');
  }
  if ('claim' in source) {
    return claimValue(Object.hasOwn(caller.claims, source.claim) ? caller.claims[source.claim] : undefined);
  }
  const first = source.firstRole.find(([role]) => caller.roles.includes(role));
  return encodeValue(first?.[1] ?? source.else ?? '');
}

/** The value of one identity header, encoded so that no claim can split a header or a list; empty if the caller has
 * none, and then the header is not sent.
 * A value that is too long refuses the request: a service that misses a header, or receives a part of a list, would
 * decide by something that the provider did not say. Only routes that send the header are affected.
 *
 * @returns `undefined` for a value over `MAX_HEADER_VALUE`. It is never cut: half a group name may be another group.
 */
export function headerValue(source: HeaderSource, caller: Caller): string | undefined {
  const value = wholeValue(source, caller);
  return value.length > MAX_HEADER_VALUE ? undefined : value;
}
