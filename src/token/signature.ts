import { MAX_KEYS_TRIED } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { type AlgorithmEntry, algorithms } from './algorithms.ts';
import type { CompactJws, JoseHeader } from './format.ts';
import { hasEd25519, type ImportedKeys, importOnce } from './import.ts';
import type { Key } from './types.ts';

type VerifyAlgorithm = Parameters<typeof crypto.subtle.verify>[0];

const encoder = new TextEncoder();

const noEd25519 = refuse(
  'algorithm_refused',
  'Ed25519 is missing in this build of nginx; let the provider sign with ES256 or RS256',
);

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
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as Key;
    if (kid !== undefined && key.kid !== kid) continue;
    named = true;
    if (fits(key, alg, entry) && chosen.push(key) === MAX_KEYS_TRIED) break;
  }
  if (chosen.length > 0) return ok(chosen);
  return refuse('key_unknown', named ? 'no key of that name fits the algorithm' : 'no key has the "kid" of the token');
}

/** What a signature is checked with. */
export interface SignatureContext {
  /** Imported keys, kept by the caller between tokens. */
  readonly imported: ImportedKeys;
  /** What the engine needs after a key with which the signature does not hold. */
  readonly onFailure?: () => Promise<void>;
}

/**
 * Checks the signature of a token (RFC 7515 section 5.2), and goes on.
 *
 * @param keys the provider's keys
 * @param use is given the key that signed the token, or a reason: `algorithm_refused`, `key_unknown`,
 * `signature_invalid`. What it returns is returned: a promise more would cost a new token 2 µs.
 */
export async function verifySignature<T>(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly Key[],
  { imported, onFailure }: SignatureContext,
  use: (signer: Result<Key>) => T | Promise<T>,
): Promise<T> {
  const { alg } = header;
  const entry = algorithms.get(alg);
  if (entry === undefined) return use(refuse('algorithm_refused'));
  if (entry.kty === 'OKP' && !(await hasEd25519())) return use(noEd25519);
  const chosen = chooseKeys(header, entry, keys);
  if (!chosen.ok) return use(chosen);
  const { signature } = jws;
  let signer: Key | undefined;
  if (entry.signatureBytes === undefined || signature.length === entry.signatureBytes) {
    const input = encoder.encode(jws.input);
    for (let i = 0; i < chosen.value.length && signer === undefined; i++) {
      const key = chosen.value[i] as Key;
      try {
        const known = importOnce(key, alg, entry, imported);
        const publicKey = known instanceof Promise ? await known : known;
        const algorithm = entry.verify as unknown as VerifyAlgorithm;
        if (await crypto.subtle.verify(algorithm, publicKey as never, signature as never, input as never)) signer = key;
        else await onFailure?.();
      } catch {
        // Engines differ on which malformed signatures are false and which are errors; neither is a pass.
      }
    }
  }
  return use(signer === undefined ? refuse('signature_invalid') : ok(signer));
}
