import { ok, type Result, refuse } from '../../base/reasons.ts';
import { quoted } from '../detail.ts';
import { changing } from '../format.ts';
import { asObject, decodeCanonical, type Members, parseObject } from '../json.ts';
import { type AlgorithmEntry, algorithms } from '../keys/algorithms.ts';
import { privateMembers } from '../keys/jwks.ts';
import { rsaWeakness } from '../keys/weak.ts';
import type { ProviderKey } from '../types.ts';
import { PROOF_ALGORITHMS, type ProofKey } from './types.ts';

const wrong = (detail: string) => refuse('proof_invalid', detail);

const noKey = wrong('the proof\'s "jwk" is not a public key that fits its "alg"');

/** Length of one coordinate in bytes, for each curve. */
const coordinates: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/** Returns the SHA-256 of a text as base64url. */
type Digest = (text: string) => string;

const bytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? decodeCanonical(value) : undefined;

/** Returns a key with the curve point in SEC 1 form (section 2.3.3). Only the import detects a point off the curve. */
function curveKey({ x, y }: Members, crv: string, digest: Digest): ProviderKey | undefined {
  const [left, right] = [bytesOf(x), bytesOf(y)];
  const length = coordinates[crv];
  if (left?.length !== length || right?.length !== length) return undefined;
  const raw = Buffer.concat([new Uint8Array([4]), left as Buffer, right as Buffer]);
  // base64url contains no characters that JSON escapes. The order of the members is that of RFC 7638.
  const thumbprint = digest(`{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}`);
  return { thumbprint, kty: 'EC', crv, jwk: {}, raw };
}

function rsaKey({ n, e }: Members, digest: Digest): ProviderKey | undefined {
  const [modulus, exponent] = [bytesOf(n), bytesOf(e)];
  if (modulus === undefined || exponent === undefined || rsaWeakness(modulus, exponent) !== undefined) return undefined;
  const jwk = { kty: 'RSA', n, e };
  return { thumbprint: digest(`{"e":"${e}","kty":"RSA","n":"${n}"}`), kty: 'RSA', jwk };
}

function publicKey(jwk: Members | undefined, { alg, kty, crv }: AlgorithmEntry, digest: Digest): Result<ProviderKey> {
  if (jwk === undefined) return wrong('the proof\'s header has no "jwk"');
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) {
    return wrong('the proof\'s "jwk" contains a private member: anyone who saw the proof may have the private key');
  }
  if (jwk.kty !== kty || (jwk.alg !== undefined && jwk.alg !== alg) || (crv !== undefined && jwk.crv !== crv)) {
    return noKey;
  }
  const key = crv === undefined ? rsaKey(jwk, digest) : curveKey(jwk, crv, digest);
  return key === undefined ? noKey : ok(key);
}

/** Reads the header of a proof (RFC 9449 section 4.3, items 3 to 7): its type, an asymmetric algorithm, and the public
 * key. `kid`, `jku` and `x5c` are ignored.
 * @param text the first part of the proof
 * @returns reason `proof_invalid` if the header is not valid */
export function readProofKey(text: string, digest: Digest): Result<ProofKey> {
  const bytes = decodeCanonical(text);
  const members = bytes && parseObject(bytes);
  if (members === undefined) return wrong("the proof's header is not a JSON object");
  const { typ, alg, jwk } = members;
  if (typ !== 'dpop+jwt') return wrong(`the proof has the type ${quoted(typ)} and not "dpop+jwt"`);
  const refused = changing.find((name) => Object.hasOwn(members, name));
  if (refused !== undefined) return wrong(`the proof's header has "${refused}", which is not supported`);
  if (!(PROOF_ALGORITHMS as readonly unknown[]).includes(alg)) {
    return wrong(`the proof's "alg" is ${quoted(alg)}; sign it with one of ${PROOF_ALGORITHMS.join(', ')}`);
  }
  const entry = algorithms.get(alg as string) as AlgorithmEntry;
  const key = publicKey(asObject(jwk), entry, digest);
  return key.ok ? ok({ header: { alg: entry.alg }, keys: [key.value] }) : key;
}
