import { encode } from 'jose/base64url';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import type { Client } from '../../policy/checked/types.ts';
import { asObject, keysIn, type Members } from '../../token/json.ts';
import { algorithms } from '../../token/keys/algorithms.ts';
import type { ImportedKey } from '../../token/keys/import.ts';
import { MAX_SECRETS, MIN_HS256_SECRET_BYTES } from '../limits.ts';
import { type ClientProof, isShort, readSecrets } from './client-auth.ts';
import { randomText } from './random.ts';

/** The private key with which the gateway authenticates at a provider. */
export interface ClientKey {
  readonly alg: string;
  readonly kid: string;
  /** Thumbprints of the key's certificate (RFC 7515 sections 4.1.7 and 4.1.8). Some providers find the key by them. */
  readonly certificate: Readonly<Record<string, string>>;
  readonly key: ImportedKey;
}

/** The default algorithm for each type of key (RFC 7518 section 3.1). */
const usual: Readonly<Record<string, string>> = { 'EC P-256': 'ES256', 'EC P-384': 'ES384', RSA: 'RS256' };

const taken = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/** Lifetime of an assertion in seconds. It is sent at once, but the clocks of gateway and provider can differ. */
const LIFETIME_S = 60;

function algorithmOf({ kty, crv, alg }: Members): string | undefined {
  if (alg === undefined) return usual[kty === 'EC' ? `EC ${String(crv)}` : String(kty)];
  const entry = typeof alg === 'string' && taken.includes(alg) ? algorithms.get(alg) : undefined;
  return entry !== undefined && entry.kty === kty && entry.crv === crv ? entry.alg : undefined;
}

const privateMembers = ['kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi'];

/** Reads the private keys of the client from a JWKS. The first key signs.
 * @returns a sentence for the log if the text is not valid; it contains nothing of the text */
export async function readClientKey(text: string): Promise<ClientKey | string> {
  const list = 'list "keys" with a key in it';
  const keys = keysIn(text, 'the file', list);
  if (typeof keys === 'string') return keys;
  const jwk = asObject(keys[0]);
  if (jwk === undefined) return `the file has no ${list}`;
  const alg = algorithmOf(jwk);
  const entry = alg === undefined ? undefined : algorithms.get(alg);
  if (entry === undefined) return 'the first key is not for ES256, ES384, RS256, RS384, RS512 or PS256 to PS512';
  if (typeof jwk.d !== 'string') return 'the first key has no private half';
  try {
    const bare = Object.fromEntries(privateMembers.filter((name) => Object.hasOwn(jwk, name)).map((n) => [n, jwk[n]]));
    const key = await crypto.subtle.importKey('jwk', bare as never, entry.import as never, false, ['sign']);
    const kid = typeof jwk.kid === 'string' ? jwk.kid : await calculateJwkThumbprint(jwk as { kty: string });
    const certificate = Object.fromEntries(
      ['x5t', 'x5t#S256'].filter((name) => typeof jwk[name] === 'string').map((name) => [name, jwk[name] as string]),
    );
    return { alg: entry.alg, kid, certificate, key };
  } catch {
    // The engine's own error message might contain parts of the key.
    return 'the first key is not a private key';
  }
}

/** Kinds of providers that require their token endpoint as the audience. The others accept the issuer. This is safer,
 * because no endpoint can use the assertion at another provider. */
const wantTokenEndpoint = ['okta', 'entra'];

/** Returns the audience of an assertion, as the provider's kind requires it (RFC 7523 section 3). */
export function assertionAudience(kind: string, issuer: string, tokenEndpoint: string): string {
  return wantTokenEndpoint.includes(kind) ? tokenEndpoint : issuer;
}

const encoder = new TextEncoder();
const part = (value: unknown): string => encode(encoder.encode(JSON.stringify(value)));

interface AssertionFor {
  readonly clientId: string;
  readonly audience: string;
  readonly now: number;
}

/** Signs a client assertion for one call (RFC 7523 section 3, OpenID Connect Core section 9).
 * @param how the algorithm as WebCrypto names it */
async function signed(header: Members, how: unknown, key: ImportedKey, { clientId, audience, now }: AssertionFor) {
  const at = Math.floor(now);
  const claims = { iss: clientId, sub: clientId, aud: audience, jti: randomText(16), iat: at, exp: at + LIFETIME_S };
  const input = `${part(header)}.${part(claims)}`;
  const signature = await crypto.subtle.sign(how as never, key as never, encoder.encode(input) as never);
  return `${input}.${encode(new Uint8Array(signature as ArrayBuffer))}`;
}

/** Signs a client assertion with a private key (`private_key_jwt`). */
export function signClientAssertion(
  { alg, kid, certificate, key }: ClientKey,
  clientId: string,
  audience: string,
  now: number,
): Promise<string> {
  const header = { alg, kid, typ: 'JWT', ...certificate };
  return signed(header, algorithms.get(alg)?.verify, key, { clientId, audience, now });
}

/** Signs a client assertion with the client's secret (`client_secret_jwt`, HS256). */
async function signWithSecret(secret: string, clientId: string, audience: string, now: number): Promise<string> {
  const how = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret) as never, how as never, false, ['sign']);
  return signed({ alg: 'HS256', typ: 'JWT' }, 'HMAC', key, { clientId, audience, now });
}

/** Reads what a client shows from its file of secrets: the secrets, or an assertion signed with each of them.
 * @param audience of the assertions
 * @returns the newest first; or a sentence if the client cannot use the file. The sentence has no part of a secret */
export async function shownSecrets(
  { id, auth }: Client,
  text: string,
  audience: string,
  now: number,
): Promise<readonly ClientProof[] | string> {
  const secrets = readSecrets(text, MAX_SECRETS);
  if (secrets.length === 0) return 'the file contains no secret';
  if (auth.kind !== 'client_secret_jwt') return secrets.map((secret) => ({ secret }));
  if (secrets.some(isShort)) {
    return `a secret in the file is shorter than ${MIN_HS256_SECRET_BYTES} bytes, the minimum for auth: secret_jwt (HS256); use a longer secret, or auth: basic`;
  }
  return Promise.all(secrets.map(async (secret) => ({ assertion: await signWithSecret(secret, id, audience, now) })));
}
