import { MAX_HEADER_VALUE } from '../limits.ts';
import type { HeaderSource } from '../policy/types.ts';
import { encodeList, encodeValue } from './encode.ts';
import type { Caller } from './types.ts';

/** Returns a string, number or boolean as text, and an empty text for anything else. A number that is not a safe
 * integer has no text: several such numbers are parsed as the same number, so two people could get the same text. */
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
    // The name of a provider in a policy needs no encoding.
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

/** Returns the value of an identity header. It is encoded, so that no claim can split a header or a list. It is empty
 * if the caller has no such value; then the header is not sent. A value that is too long makes the gateway refuse the
 * request. If the service received no header or only a part, it would decide by something that the provider did not
 * say. This affects only routes that send the header.
 * @returns `undefined` for a value that is longer than `MAX_HEADER_VALUE`. A value is never cut, because half of a
 * group name can be the name of another group. */
export function headerValue(source: HeaderSource, caller: Caller): string | undefined {
  const value = wholeValue(source, caller);
  return value.length > MAX_HEADER_VALUE ? undefined : value;
}
