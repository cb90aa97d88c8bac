import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { MAX_KEYS_PER_PROVIDER } from '../base/limits.ts';
import { asObject, keysIn, type Members } from '../token/json.ts';
import type { ImportedKey } from '../token/keys/import.ts';
import { type SigningKeys, signBytes } from './sign.ts';

type Jwk = Members;
type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as unknown as ImportAlgorithm;
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as unknown as Parameters<typeof crypto.subtle.verify>[0];
const probe = new TextEncoder().encode('meshgate');

/** Matches a coordinate of P-256: 32 bytes as base64url (RFC 7518 section 6.2.1.2). */
const coordinate = /^[A-Za-z0-9_-]{43}$/;

const importJwk = (jwk: Jwk, use: 'sign' | 'verify'): Promise<ImportedKey> =>
  crypto.subtle.importKey('jwk', jwk as never, p256, false, [use]);

/** Returns the private P-256 keys in a text, or a sentence with nothing of the text, if it has other keys or none. */
export function parseSigningKeys(text: string): readonly Jwk[] | string {
  const keys = keysIn(text) as readonly Jwk[] | string;
  if (typeof keys === 'string') return keys;
  if (keys.length === 0) return 'the file has no key';
  if (keys.length > MAX_KEYS_PER_PROVIDER) return `the file has more than ${MAX_KEYS_PER_PROVIDER} keys`;
  for (const [index, key] of keys.entries()) {
    const { kty, crv, x, y, d, kid } = asObject(key) ?? {};
    if (kty !== 'EC' || crv !== 'P-256') return `key ${index + 1} is not an EC key on the curve P-256`;
    const parts = [x, y, d].every((it) => typeof it === 'string' && coordinate.test(it));
    if (!parts) return `key ${index + 1} lacks "d", "x" or "y"`;
    if (kid !== undefined && typeof kid !== 'string') return `the "kid" of key ${index + 1} is not a string`;
  }
  return keys;
}

/** Returns the public members of a key and its `kid`: the one in the file, or else the thumbprint (RFC 7638). */
async function publicHalf({ kty, crv, x, y, kid }: Jwk): Promise<Jwk & { readonly kid: string }> {
  const bare = { kty, crv, x, y };
  const name = (kid as string | undefined) ?? (await calculateJwkThumbprint(bare as { kty: string }));
  return { ...bare, kid: name, alg: 'ES256', use: 'sig' };
}

/** Whether the public half verifies what the private key signs. Otherwise no service could verify an assertion. */
async function fits(key: ImportedKey, half: Jwk): Promise<boolean> {
  const { kty, crv, x, y } = half;
  const publicKey = await importJwk({ kty, crv, x, y }, 'verify');
  return crypto.subtle.verify(ecdsa, publicKey as never, (await signBytes(key, probe)) as never, probe as never);
}

/** Reads the gateway's signing keys: a JWKS (RFC 7517 section 5) of private P-256 keys. The first key signs, and the
 * public halves of all are published.
 * @returns a sentence for the log if the text is not valid; it contains nothing of the text */
export async function readSigningKeys(text: string): Promise<SigningKeys | string> {
  const keys = parseSigningKeys(text);
  if (typeof keys === 'string') return keys;
  const halves = await Promise.all(keys.map(publicHalf));
  if (new Set(halves.map(({ kid }) => kid)).size < halves.length) return 'two keys have the same "kid"';
  const [first, half] = [keys[0] as Jwk, halves[0] as (typeof halves)[number]];
  try {
    const { kty, crv, x, y, d } = first;
    const key = await importJwk({ kty, crv, x, y, d }, 'sign');
    if (await fits(key, half)) return { kid: half.kid, key, published: JSON.stringify({ keys: halves }) };
  } catch {
    // The engine's own error message might contain parts of the key.
  }
  return 'the first key is not a key pair';
}
