import { decode } from 'jose/base64url';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { MAX_KEYS_PER_PROVIDER, MAX_KID_LENGTH } from '../../base/limits.ts';
import type { ProviderKind } from '../../providers/index.ts';
import { quoted } from '../detail.ts';
import { asObject, keysIn, type Members } from '../json.ts';
import type { ProviderKey } from '../types.ts';
import { algorithms } from './algorithms.ts';
import { importKey } from './import.ts';
import { rsaWeakness } from './weak.ts';

/** A provider's usable keys, with lines for the log about those that are left out; or why there are none. */
export type KeySet =
  | { readonly ok: true; readonly keys: readonly ProviderKey[]; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: string };

type Jwk = Members;

/** The public members of a key, by type (RFC 7518 section 6, RFC 8037 section 2). Only these are imported. */
const publicMembers: Readonly<Record<ProviderKey['kty'], readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
};

/** Members that a public JWK must not have (RFC 7518 section 6). */
export const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const curves = [...algorithms.values()].map(({ crv }) => crv).filter((crv) => crv !== undefined);

/** Whether a key is for signatures. Other keys are not a mistake, and are left out (RFC 7517 sections 4.2 and 4.3). */
function isForSignatures({ use, key_ops: operations }: Jwk, own: string | undefined): boolean {
  if (use !== undefined && use !== 'sig' && use !== own) return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

/** Returns what is wrong with a key; `undefined` if nothing is. */
function problemOf(jwk: Jwk): string | undefined {
  const { kty, crv, kid, alg } = jwk;
  if (kty === 'oct') return 'a published key set must not contain symmetric keys';
  if (privateMembers.some((name) => Object.hasOwn(jwk, name)))
    return 'its private half is published: anyone can sign with it';
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return `the key type ${quoted(kty)} is not supported`;
  if (publicMembers[kty].some((name) => typeof jwk[name] !== 'string')) return 'a member is missing';
  if (kid !== undefined && typeof kid !== 'string') return '"kid" is not a string';
  if (kid !== undefined && kid.length > MAX_KID_LENGTH) return `its "kid" has more than ${MAX_KID_LENGTH} characters`;
  if (alg !== undefined && typeof alg !== 'string') return '"alg" is not a string';
  if (kty === 'RSA') return rsaWeakness(decode(jwk.n as string), decode(jwk.e as string));
  if ((kty === 'OKP') !== (crv === 'Ed25519') || !curves.includes(crv as string))
    return `the curve ${quoted(crv)} is not supported`;
  return undefined;
}

/** Imports the key, because only the engine can detect a point that is not on its curve. */
async function tryImport(key: ProviderKey): Promise<void> {
  // nginx's module of njs 1.0.2 lacks Ed25519. The key still counts as valid, so that the refusal of a token can say
  // what is missing.
  if (key.kty === 'OKP') {
    if (decode(key.jwk.x as string).length !== 32) throw new Error('not 32 bytes');
    return;
  }
  const entry = [...algorithms.values()].find(({ kty, crv }) => kty === key.kty && crv === key.crv);
  if (entry !== undefined) await importKey(key, entry);
}

async function readKey(jwk: Jwk, named: boolean): Promise<ProviderKey | string> {
  try {
    const problem = problemOf(jwk);
    if (problem !== undefined) return problem;
    const kty = jwk.kty as ProviderKey['kty'];
    const members = Object.fromEntries(publicMembers[kty].map((name) => [name, jwk[name] as string]));
    const key: ProviderKey = {
      thumbprint: await calculateJwkThumbprint(members as { kty: string }),
      ...(typeof jwk.kid === 'string' && { kid: jwk.kid }),
      ...(typeof jwk.alg === 'string' && { alg: jwk.alg }),
      ...(named && typeof jwk.issuer === 'string' && { issuer: jwk.issuer }),
      kty,
      ...(kty !== 'RSA' && { crv: jwk.crv as string }),
      jwk: members,
    };
    await tryImport(key);
    return key;
  } catch {
    return 'it is not a key';
  }
}

/** Reads a JWKS (RFC 7517 section 5). Invalid, weak, symmetric and private keys are left out with a warning, and keys
 * for other uses without a warning. Several keys may have the same `kid` or none. Thumbprints are those of RFC 7638.
 * @param kind kind of the provider, which says which additional members its keys have
 * @returns an error if the text is not a key set or has no usable key: that is a mistake of the provider, so the known
 * keys stay in use until they are too old */
export async function readKeySet(
  text: string,
  kind: Pick<ProviderKind, 'keyUse' | 'keysNameIssuer'> = {},
): Promise<KeySet> {
  const list = keysIn(text, 'the key set');
  if (typeof list === 'string') return { ok: false, error: list };
  const keys = new Map<string, ProviderKey>();
  const warnings: string[] = [];
  for (const [index, element] of list.slice(0, MAX_KEYS_PER_PROVIDER).entries()) {
    const jwk = asObject(element);
    if (jwk !== undefined && !isForSignatures(jwk, kind.keyUse)) continue;
    const key = jwk === undefined ? 'it is not an object' : await readKey(jwk, kind.keysNameIssuer === true);
    if (typeof key === 'string') warnings.push(`key ${index + 1}${nameOf(jwk)} is not used: ${key}`);
    else keys.set(JSON.stringify([key.thumbprint, key.kid, key.alg, key.issuer]), key);
  }
  if (list.length > MAX_KEYS_PER_PROVIDER) {
    warnings.push(`the key set has ${list.length} keys; only the first ${MAX_KEYS_PER_PROVIDER} are used`);
  }
  if (keys.size === 0) return { ok: false, error: ['the key set has no usable key', ...warnings].join('; ') };
  return { ok: true, keys: [...keys.values()], warnings };
}

function nameOf(jwk: Jwk | undefined): string {
  return typeof jwk?.kid === 'string' ? ` (kid ${quoted(jwk.kid)})` : '';
}
