import { MAX_HEADER_VALUE } from '../base/limits.ts';
import { ownOf } from '../base/own.ts';
import type { HeaderSource } from '../policy/checked/types.ts';
import { encodeList, encodeValue } from './encode.ts';
import type { Caller } from './types.ts';

/** Returns a string, number or boolean as text, else an empty text. A number that is not a safe integer has no text:
 * several such numbers are parsed as one number, so two people would get the same text. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : '';
}

function claimValue(claim: unknown): string {
  return Array.isArray(claim) ? encodeList(claim.map(textOf)) : encodeValue(textOf(claim));
}

function fullValue(source: HeaderSource, caller: Caller): string {
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
    return claimValue(ownOf(caller.claims, source.claim));
  }
  const first = source.firstRole.find(([role]) => caller.roles.includes(role));
  return encodeValue(first?.[1] ?? source.else ?? '');
}

/** Returns the value of an identity header, encoded, so that no claim can split a header or a list. An empty value is
 * not sent. For a value longer than `MAX_HEADER_VALUE`, the result is `undefined`, and the gateway refuses the request:
 * a service that received no header or a part of it would decide by a value that the provider did not send. Half of a
 * group's name can be the name of another group. */
export function valueForHeader(source: HeaderSource, caller: Caller): string | undefined {
  const value = fullValue(source, caller);
  return value.length > MAX_HEADER_VALUE ? undefined : value;
}
