import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { PUBLISHED_BEFORE_SIGNING_S } from '../base/limits.ts';
import { parseSigningKeys } from './signing-keys.ts';

type Jwk = Readonly<Record<string, unknown>>;
type GenerateAlgorithm = Parameters<typeof crypto.subtle.generateKey>[0];

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as unknown as GenerateAlgorithm;

/** Makes a new key pair as a JWK. Its name is its thumbprint, and `iat` says when it was made. */
async function makeKey(now: number): Promise<Jwk> {
  const pair = (await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])) as unknown as {
    readonly privateKey: never;
  };
  const { x, y, d } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as Jwk;
  const kid = await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x, y } as { kty: string });
  return { kty: 'EC', crv: 'P-256', kid, alg: 'ES256', use: 'sig', iat: Math.floor(now), x, y, d };
}

const textOf = (keys: readonly Jwk[]): string => `${JSON.stringify({ keys }, null, 2)}\n`;

/** Returns a file of signing keys. The first key signs; the second is published to sign after the next rotation. */
export async function newSigningKeys(now: number): Promise<string> {
  return textOf([await makeKey(now), await makeKey(now)]);
}

/** Returns a file of signing keys that replaces a leaked file. None of the old keys is published any more. */
export async function replaceSigningKeys(text: string, now: number): Promise<Rotated> {
  const keys = parseSigningKeys(text);
  if (typeof keys === 'string') return { ok: false, error: keys };
  return { ok: true, text: await newSigningKeys(now), signs: true };
}

type Rotated =
  /** `signs`: whether the key that signs has changed. */
  | { readonly ok: true; readonly text: string; readonly signs: boolean }
  | { readonly ok: false; readonly error: string };

/** Rotates the keys by one. The second key, which was already published, begins to sign; without one, the first
 * continues. A new key is published, and will sign after the next rotation. The key that signed before stays published,
 * because its assertions are still in use. Older keys are removed.
 * @param early whether a key may sign even if it was not published for long enough
 * @returns a sentence if there is something wrong with the text, or if it is too early */
export async function rotateSigningKeys(text: string, now: number, early: boolean): Promise<Rotated> {
  const keys = parseSigningKeys(text);
  if (typeof keys === 'string') return { ok: false, error: keys };
  const [signing, next] = keys as [Jwk, ...Jwk[]];
  if (next === undefined) return { ok: true, text: textOf([signing, await makeKey(now)]), signs: false };
  const age = typeof next.iat === 'number' ? now - next.iat : PUBLISHED_BEFORE_SIGNING_S;
  if (age < PUBLISHED_BEFORE_SIGNING_S && !early) {
    const minutes = Math.ceil((PUBLISHED_BEFORE_SIGNING_S - age) / 60);
    return {
      ok: false,
      error: `the next key has been published for less than ${PUBLISHED_BEFORE_SIGNING_S / 60} minutes, and services may not have it yet; wait ${minutes} more, or use --early`,
    };
  }
  return { ok: true, text: textOf([next, await makeKey(now), signing]), signs: true };
}
