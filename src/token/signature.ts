import { MAX_KEYS_TRIED } from '../base/limits.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import type { CompactJws, JoseHeader } from './format.ts';
import { type AlgorithmEntry, algorithms } from './keys/algorithms.ts';
import { hasEd25519, type ImportedKey, type ImportedKeys, importName, importOnce } from './keys/import.ts';
import type { ProviderKey } from './types.ts';

type VerifyAlgorithm = Parameters<typeof crypto.subtle.verify>[0];

const ed25519IsMissing = 'Ed25519 is missing in this build of nginx; let the provider sign with ES256 or RS256';
const noEd25519 = refuse('algorithm_refused', ed25519IsMissing);

/** Whether a key fits an algorithm by type, curve and, if the key names one, algorithm (RFC 8725 section 3.1). */
function fits(key: ProviderKey, { alg, kty, crv }: AlgorithmEntry): boolean {
  return key.kty === kty && key.crv === crv && (key.alg === undefined || key.alg === alg);
}

/** Returns the only key that fits an algorithm, if none of the keys has a `kid`. */
function onlyNameless(entry: AlgorithmEntry, keys: readonly ProviderKey[]): ProviderKey | undefined {
  if (keys.some(({ kid }) => kid !== undefined)) return undefined;
  const fitting = keys.filter((key) => fits(key, entry));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Returns the keys that can verify a token: those with its `kid`; for a token without one, the first few keys that
 * fit. A `kid` is only a hint (RFC 7515 section 4.1.4): if no key of the set has one, the only fitting key is used.
 * @returns reason `key_unknown` if there is no such key */
export function chooseKeys(
  header: JoseHeader,
  entry: AlgorithmEntry,
  keys: readonly ProviderKey[],
): Result<readonly ProviderKey[]> {
  const { kid } = header;
  const chosen: ProviderKey[] = [];
  let named = false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as ProviderKey;
    if (kid !== undefined && key.kid !== kid) continue;
    named = true;
    if (fits(key, entry) && chosen.push(key) === MAX_KEYS_TRIED) break;
  }
  if (chosen.length > 0) return ok(chosen);
  const only = named ? undefined : onlyNameless(entry, keys);
  if (only !== undefined) return ok([only]);
  return refuse('key_unknown', named ? 'no key of that "kid" fits the "alg"' : 'no key has the "kid" of the token');
}

/** A key to try, with its name among the imported keys, and the result if it verifies the signature. */
interface Candidate {
  readonly key: ProviderKey;
  readonly name: string;
  readonly signed: Result<ProviderKey>;
}

/** The algorithm and keys for a header. Most tokens use the same choice again. */
interface Choice {
  readonly keys: readonly ProviderKey[];
  readonly entry: AlgorithmEntry;
  readonly candidates: readonly Candidate[];
  /** The refusal if there are no keys to try. */
  readonly refused: ReturnType<typeof refuse> | undefined;
  /** The refusal if none of the keys verifies the signature. */
  readonly unsigned: ReturnType<typeof refuse>;
}

const notSigned = refuse('signature_invalid');

/** The key with the token's `kid` may be newer than the key set. The reason `key_unknown` causes a new fetch. */
const unnamed = 'no key has the "kid" of the token, and the only key without a "kid" that fits did not sign it';
const otherSigned = refuse('key_unknown', unnamed);

const choices = new WeakMap<JoseHeader, Choice>();

function newChoice(header: JoseHeader, keys: readonly ProviderKey[]): Choice | undefined {
  const entry = algorithms.get(header.alg);
  if (entry === undefined) return undefined;
  const chosen = chooseKeys(header, entry, keys);
  const made = chosen.ok ? chosen.value : [];
  const candidates = made.map((key) => ({ key, name: importName(key, entry), signed: ok(key) }));
  const isNamed = header.kid === undefined || made.some(({ kid }) => kid === header.kid);
  const unsigned = isNamed ? notSigned : otherSigned;
  return { keys, entry, candidates, refused: chosen.ok ? undefined : chosen, unsigned };
}

/** Returns the algorithm and keys for a header, and keeps them for the next one; undefined for an unknown algorithm. */
function choose(header: JoseHeader, keys: readonly ProviderKey[]): Choice | undefined {
  const known = choices.get(header);
  if (known !== undefined && known.keys === keys) return known;
  const choice = newChoice(header, keys);
  if (choice !== undefined) choices.set(header, choice);
  return choice;
}

export interface SignatureContext {
  /** Imported keys, which the owner of this object keeps between tokens. */
  readonly imported: ImportedKeys;
  /** Called if a key does not verify the signature, because the engine then needs some extra work. */
  readonly onFailure?: () => Promise<void>;
}

/** Receives the result for a signature and `along`. A tuple costs a fifth of a closure with the same values. */
type Use<T, S> = (signer: Result<ProviderKey>, along: S) => T | Promise<T>;

function holdsUnder(publicKey: ImportedKey, { signature, input }: CompactJws, entry: AlgorithmEntry): Promise<boolean> {
  const algorithm = entry.verify as unknown as VerifyAlgorithm;
  return crypto.subtle.verify(algorithm, publicKey as never, signature as never, input as never);
}

/** Returns a promise for whether the signature is valid. It rejects if the engine throws. */
function holds(jws: CompactJws, { key, name }: Candidate, entry: AlgorithmEntry, imported: ImportedKeys) {
  try {
    const known = imported.get(name);
    if (known !== undefined) return holdsUnder(known, jws, entry);
    return importOnce(key, entry, imported).then((publicKey) => holdsUnder(publicKey, jws, entry));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Tries the keys, beginning with a given one. For an invalid signature an engine returns false or throws. */
function tryKeys<T, S>(
  jws: CompactJws,
  choice: Choice,
  from: number,
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  const candidate = choice.candidates[from];
  if (candidate === undefined) return use(choice.unsigned, along);
  // One closure handles all results. An error is not `true`, so the signature counts as invalid.
  const finish = (held: unknown): T | Promise<T> => {
    if (held === true) return use(candidate.signed, along);
    const next = () => tryKeys(jws, choice, from + 1, context, use, along);
    return held === false && context.onFailure !== undefined ? context.onFailure().then(next) : next();
  };
  return holds(jws, candidate, choice.entry, context.imported).then(finish, finish);
}

/** Verifies a signature with an algorithm that this engine supports. */
function verifyBy<T, S>(choice: Choice, jws: CompactJws, context: SignatureContext, use: Use<T, S>, along: S) {
  if (choice.refused !== undefined) return use(choice.refused, along);
  const { signatureBytes } = choice.entry;
  if (signatureBytes !== undefined && jws.signature.length !== signatureBytes) return use(notSigned, along);
  return tryKeys(jws, choice, 0, context, use, along);
}

/** Verifies a signature like {@link verifySignature}. `use` also receives the value `along`. */
export function verifySignatureWith<T, S>(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly ProviderKey[],
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  const choice = choose(header, keys);
  if (choice === undefined) return use(refuse('algorithm_refused'), along);
  if (choice.entry.kty !== 'OKP') return verifyBy(choice, jws, context, use, along);
  return hasEd25519().then((has) => (has ? verifyBy(choice, jws, context, use, along) : use(noEd25519, along)));
}

/** Verifies the signature of a token (RFC 7515 section 5.2) and calls `use` with the result.
 * @param use receives the key that signed the token, or a reason: `algorithm_refused`, `key_unknown`,
 * `signature_invalid`. Its result is returned. Only the engine makes a promise, because another promise takes 2 µs for
 * each new token. */
export function verifySignature<T>(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly ProviderKey[],
  context: SignatureContext,
  use: (signer: Result<ProviderKey>) => T | Promise<T>,
): T | Promise<T> {
  return verifySignatureWith<T, undefined>(jws, header, keys, context, use, undefined);
}
