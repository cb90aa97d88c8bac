/** Parameters of a query or a form. njs has no URLSearchParams, and its own parser reads some names wrongly. */

import { MAX_PARAMS, MAX_SIGNIN_QUERY } from '../limits.ts';

/** Names and values, in their order. */
export type Params = readonly (readonly [name: string, value: string])[];

const decoded = (text: string): string => decodeURIComponent(text.replace(/\+/g, ' '));

/** Parses a form or a query (URL standard, section 5.1). Anyone can send one, so it decodes nothing before it has counted.
 * @returns `undefined` if the text is too long, has too many parameters, or an invalid percent-encoding */
export function parseParams(text: string): Params | undefined {
  const parts = text.length > MAX_SIGNIN_QUERY ? [] : text.split('&', MAX_PARAMS + 1);
  if (parts.length === 0 || parts.length > MAX_PARAMS) return undefined;
  const params: (readonly [string, string])[] = [];
  try {
    for (const part of parts) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      params.push(equals < 0 ? [decoded(part), ''] : [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1))]);
    }
  } catch {
    return undefined;
  }
  return params;
}

export function parameterValues(params: Params, name: string): readonly string[] {
  return params.filter(([key]) => key === name).map(([, value]) => value);
}

/** Encodes a name or a value as in forms (URL standard, section 5.2). */
export function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');
}

export function formText(params: Params): string {
  return params.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join('&');
}

/** Adds a query to an endpoint, which may have a query already (RFC 6749 section 3.1). */
export function withQuery(endpoint: string, params: Params): string {
  const joined = endpoint.includes('?') ? (/[?&]$/.test(endpoint) ? '' : '&') : '?';
  return `${endpoint}${joined}${formText(params)}`;
}
