import { MAX_KEYS_TRIED } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { type AlgorithmEntry, algorithms } from './algorithms.ts';
import type { CompactJws, JoseHeader } from './format.ts';
import { hasEd25519, type ImportedKey, type ImportedKeys, importName, importOnce } from './import.ts';
import type { Key } from './types.ts';

type VerifyAlgorithm = Parameters<typeof crypto.subtle.verify>[0];

const noEd25519 = refuse(
  'algorithm_refused',
  'Ed25519 is missing in this build of nginx; let the provider sign with ES256 or RS256',
);

/** A key fits if type and curve are the algorithm's and its owner bound it to no other algorithm (RFC 8725 section 3.1). */
function fits(key: Key, { alg, kty, crv }: AlgorithmEntry): boolean {
  return key.kty === kty && key.crv === crv && (key.alg === undefined || key.alg === alg);
}

/**
 * The keys that a token may be checked with: with a `kid` those of that name, else the first few that fit.
 *
 * @returns reason `key_unknown` if there is none
 */
export function chooseKeys(header: JoseHeader, entry: AlgorithmEntry, keys: readonly Key[]): Result<readonly Key[]> {
  const { kid } = header;
  const chosen: Key[] = [];
  let named = false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as Key;
    if (kid !== undefined && key.kid !== kid) continue;
    named = true;
    if (fits(key, entry) && chosen.push(key) === MAX_KEYS_TRIED) break;
  }
  if (chosen.length > 0) return ok(chosen);
  return refuse('key_unknown', named ? 'no key of that name fits the algorithm' : 'no key has the "kid" of the token');
}

/** What was chosen for a header, and of which keys: both come again with most tokens. */
const choices = new WeakMap<JoseHeader, { readonly keys: readonly Key[]; readonly chosen: Result<readonly Key[]> }>();

/** {@link chooseKeys}, looked up where it was done before. */
function choose(header: JoseHeader, entry: AlgorithmEntry, keys: readonly Key[]): Result<readonly Key[]> {
  let choice = choices.get(header);
  if (choice?.keys !== keys) {
    choice = { keys, chosen: chooseKeys(header, entry, keys) };
    choices.set(header, choice);
  }
  return choice.chosen;
}

/** What a signature is checked with. */
export interface SignatureContext {
  /** Imported keys, kept by the caller between tokens. */
  readonly imported: ImportedKeys;
  /** What the engine needs after a key with which the signature does not hold. */
  readonly onFailure?: () => Promise<void>;
}

/** What is told of a signature, with what its caller gave along: a list costs a fifth of a closure's variables. */
type Use<T, S> = (signer: Result<Key>, along: S) => T | Promise<T>;

function holdsUnder(publicKey: ImportedKey, { signature, input }: CompactJws, entry: AlgorithmEntry): Promise<boolean> {
  const algorithm = entry.verify as unknown as VerifyAlgorithm;
  return crypto.subtle.verify(algorithm, publicKey as never, signature as never, input as never);
}

/** A promise of whether the signature holds; rejected where the engine says so by an error. */
function holds(jws: CompactJws, key: Key, entry: AlgorithmEntry, imported: ImportedKeys): Promise<boolean> {
  try {
    const known = imported.get(importName(key, entry));
    if (known !== undefined) return holdsUnder(known, jws, entry);
    return importOnce(key, entry, imported).then((publicKey) => holdsUnder(publicKey, jws, entry));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Tries keys, from one on. Engines differ on which bad signatures are false and which are errors; neither is a pass. */
function tryKeys<T, S>(
  jws: CompactJws,
  keys: readonly Key[],
  from: number,
  entry: AlgorithmEntry,
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  const key = keys[from];
  if (key === undefined) return use(refuse('signature_invalid'), along);
  // One closure for all outcomes: an error is no `true`.
  const settle = (held: unknown): T | Promise<T> => {
    if (held === true) return use(ok(key), along);
    const next = () => tryKeys(jws, keys, from + 1, entry, context, use, along);
    return held === false && context.onFailure !== undefined ? context.onFailure().then(next) : next();
  };
  return holds(jws, key, entry, context.imported).then(settle, settle);
}

/** {@link verifySignature} by an algorithm that this engine has. */
function verifyBy<T, S>(
  entry: AlgorithmEntry,
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly Key[],
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  const chosen = choose(header, entry, keys);
  if (!chosen.ok) return use(chosen, along);
  if (entry.signatureBytes !== undefined && jws.signature.length !== entry.signatureBytes) {
    return use(refuse('signature_invalid'), along);
  }
  return tryKeys(jws, chosen.value, 0, entry, context, use, along);
}

/** {@link verifySignature}, with something that `use` is given along. */
export function verifySignatureWith<T, S>(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly Key[],
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  const entry = algorithms.get(header.alg);
  if (entry === undefined) return use(refuse('algorithm_refused'), along);
  if (entry.kty !== 'OKP') return verifyBy(entry, jws, header, keys, context, use, along);
  return hasEd25519().then((has) =>
    has ? verifyBy(entry, jws, header, keys, context, use, along) : use(noEd25519, along),
  );
}

/**
 * Checks the signature of a token (RFC 7515 section 5.2), and goes on.
 *
 * @param keys the provider's keys
 * @param use is given the key that signed the token, or a reason: `algorithm_refused`, `key_unknown`,
 * `signature_invalid`. What it returns is returned. There is one promise, the engine's: each `async` and `await` more
 * would cost a new token 2 µs.
 */
export function verifySignature<T>(
  jws: CompactJws,
  header: JoseHeader,
  keys: readonly Key[],
  context: SignatureContext,
  use: (signer: Result<Key>) => T | Promise<T>,
): T | Promise<T> {
  return verifySignatureWith<T, undefined>(jws, header, keys, context, use, undefined);
}
