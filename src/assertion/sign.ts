import { encode } from 'jose/base64url';
import { MAX_ASSERTION_LENGTH } from '../base/limits.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import type { ImportedKey } from '../token/keys/import.ts';
import { ASSERTION_TYPE } from './claims.ts';

/** The gateway's signing keys in one version of the file. */
export interface SigningKeys {
  /** The `kid` of the key that signs, which is the first one in the file. */
  readonly kid: string;
  readonly key: ImportedKey;
  /** The JWKS of the public halves of all keys. */
  readonly published: string;
}

type Algorithm = Parameters<typeof crypto.subtle.sign>[0];

const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as unknown as Algorithm;
const encoder = new TextEncoder();
const part = (value: unknown): string => encode(encoder.encode(JSON.stringify(value)));

/** Signs bytes with ES256. The signature consists of r and s, 32 bytes each (RFC 7518 section 3.4). */
export async function signBytes(key: SigningKeys['key'], bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array((await crypto.subtle.sign(ecdsa, key as never, bytes as never)) as ArrayBuffer);
}

/** Signs claims as a compact JWS (RFC 7515 section 7.1); reason `claim_absent` if it would be too long for a header. */
export async function signAssertion(
  { kid, key }: Pick<SigningKeys, 'kid' | 'key'>,
  claims: Readonly<Record<string, unknown>>,
): Promise<Result<string>> {
  const input = `${part({ alg: 'ES256', kid, typ: ASSERTION_TYPE })}.${part(claims)}`;
  // A signature of 64 bytes is 86 characters long; a dot precedes it.
  if (input.length + 87 > MAX_ASSERTION_LENGTH) {
    return refuse('claim_absent', 'subject and roles are too long for a signed assertion');
  }
  return ok(`${input}.${encode(await signBytes(key, encoder.encode(input)))}`);
}
