import { MAX_KEYS_TRIED } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { type AlgorithmEntry, algorithms } from './algorithms.ts';
import type { CompactJws, JoseHeader } from './format.ts';
import { hasEd25519, type ImportedKeys, importOnce } from './import.ts';
import type { Key } from './types.ts';

type VerifyAlgorithm = Parameters<typeof crypto.subtle.verify>[0];

const encoder = new TextEncoder();

/** A key fits if type and curve are the algorithm's and its owner bound it to no other algorithm (RFC 8725 section 3.1). */
function fits(key: Key, alg: string, entry: AlgorithmEntry): boolean {
  return key.kty === entry.kty && key.crv === entry.crv && (key.alg === undefined || key.alg === alg);
}

/**
 * The keys that a token may be checked with: with a `kid` those of that name, else the first few that fit.
 *
 * @returns reason `key_unknown` if there is none
 */
export function chooseKeys(header: JoseHeader, entry: AlgorithmEntry, keys: readonly Key[]): Result<readonly Key[]> {
  const { alg, kid } = header;
  const chosen: Key[] = [];
  let named = false;
  for (const key of keys) {
    if (kid !== undefined && key.kid !== kid) continue;
    named = true;
    if (fits(key, alg, entry) && chosen.push(key) === MAX_KEYS_TRIED) break;
  }
  if (chosen.length > 0) return ok(chosen);
  return refuse('key_unknown', named ? 'no key of that name fits the algorithm' : 'no key has the "kid" of the token');
}

const verifyWith = (entry: AlgorithmEntry) => entry.verify as unknown as VerifyAlgorithm;

/**
 * Checks the signature of a token (RFC 7515 section 5.2).
 *
 * @param keys the provider's keys
 * @param imported where imported keys are kept
 * @param onFailure called after each key with which the signature does not hold
 * @returns the key that signed it; reasons `algorithm_refused`, `key_unknown`, `signature_invalid`
 */
export async function verifySignature(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly Key[],
  imported: ImportedKeys,
  onFailure?: () => Promise<void>,
): Promise<Result<Key>> {
  const { alg } = header;
  const entry = algorithms.get(alg);
  if (entry === undefined) return refuse('algorithm_refused');
  if (entry.kty === 'OKP' && !(await hasEd25519())) {
    return refuse(
      'algorithm_refused',
      'Ed25519 is missing in this build of nginx; let the provider sign with ES256 or RS256',
    );
  }
  const chosen = chooseKeys(header, entry, keys);
  if (!chosen.ok) return chosen;
  const { signature } = jws;
  if (entry.signatureBytes !== undefined && signature.length !== entry.signatureBytes)
    return refuse('signature_invalid');
  const input = encoder.encode(jws.input);
  for (const key of chosen.value) {
    try {
      const known = importOnce(key, alg, entry, imported);
      const publicKey = known instanceof Promise ? await known : known;
      if (await crypto.subtle.verify(verifyWith(entry), publicKey as never, signature as never, input as never))
        return ok(key);
      await onFailure?.();
    } catch {
      // Engines differ on which malformed signatures are false and which are errors; neither is a pass.
    }
  }
  return refuse('signature_invalid');
}
