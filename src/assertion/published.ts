import { MAX_KEYS_PER_PROVIDER } from '../base/limits.ts';
import type { Assertion } from '../policy/checked/types.ts';
import { asObject, keysIn } from '../token/json.ts';

/** Returns the URL of the gateway's public keys, at the origin of the gateway's issuer. */
export const assertionJwksUri = ({ issuer }: Pick<Assertion, 'issuer'>): string =>
  `${issuer.replace(/^(https:\/\/[^/]*).*$/s, '$1')}/.meshgate/jwks`;

/** The members of a public P-256 key that verifiers read (RFC 7517, RFC 7518 section 6.2.1). */
const PUBLIC = ['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use'] as const;

/** Returns the gateway's public keys for /.meshgate/jwks, with only the members that verifiers need, as one line of
 * JSON. For a text that is no key set or contains a private key, returns a sentence that contains nothing of the text.
 * */
export function parsePublishedKeys(text: string): { readonly jwks: string } | string {
  const list = 'list "keys" with a key in it';
  const keys = keysIn(text, 'the file', list);
  if (typeof keys === 'string') return keys;
  if (keys.length === 0) return `the file has no ${list}`;
  if (keys.length > MAX_KEYS_PER_PROVIDER) return `the file has more than ${MAX_KEYS_PER_PROVIDER} keys`;
  const found = keys.map((key) => asObject(key) ?? {});
  if (found.some((key) => 'd' in key || 'k' in key)) {
    return 'the file contains a private key; give the public keys, as /.meshgate/jwks serves them';
  }
  for (const [index, { kty, crv, x, y }] of found.entries()) {
    const entire = kty === 'EC' && crv === 'P-256' && typeof x === 'string' && typeof y === 'string';
    if (!entire) return `key ${index + 1} is not a public EC key on the curve P-256`;
  }
  const bare = found.map((key) => Object.fromEntries(PUBLIC.flatMap((it) => (it in key ? [[it, key[it]]] : []))));
  return { jwks: JSON.stringify({ keys: bare }) };
}
