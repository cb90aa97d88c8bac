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

/** The only key that fits an algorithm, of a set whose keys all have no `kid`. */
function onlyNameless(entry: AlgorithmEntry, keys: readonly Key[]): Key | undefined {
  if (keys.some(({ kid }) => kid !== undefined)) return undefined;
  const fitting = keys.filter((key) => fits(key, entry));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/**
 * The keys that a token may be checked with: with a `kid` those of that name, else the first few that fit. A `kid` is a
 * hint (RFC 7515 section 4.1.4): if no key of the set has one, the only key that fits is taken.
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
  const only = named ? undefined : onlyNameless(entry, keys);
  if (only !== undefined) return ok([only]);
  return refuse('key_unknown', named ? 'no key of that name fits the algorithm' : 'no key has the "kid" of the token');
}

/** A key that is tried, with what is made of it once: its name among the imported ones, and what is said if it signed. */
interface Candidate {
  readonly key: Key;
  readonly name: string;
  readonly signed: Result<Key>;
}

/** What is known before the token's own bytes are looked at. It comes again with most tokens. */
interface Choice {
  readonly keys: readonly Key[];
  readonly entry: AlgorithmEntry;
  readonly candidates: readonly Candidate[];
  /** Why there are none. */
  readonly refused: ReturnType<typeof refuse> | undefined;
  /** What is said if none of them signed. */
  readonly unsigned: ReturnType<typeof refuse>;
}

const notSigned = refuse('signature_invalid');

/** The key with the token's `kid` may be newer than the set, so `key_unknown` has the set fetched again. */
const otherSigned = refuse(
  'key_unknown',
  'no key has the "kid" of the token, and the only one without that fits did not sign it',
);

const choices = new WeakMap<JoseHeader, Choice>();

function newChoice(header: JoseHeader, keys: readonly Key[]): Choice | undefined {
  const entry = algorithms.get(header.alg);
  if (entry === undefined) return undefined;
  const chosen = chooseKeys(header, entry, keys);
  const made = chosen.ok ? chosen.value : [];
  const candidates = made.map((key) => ({ key, name: importName(key, entry), signed: ok(key) }));
  const isNamed = header.kid === undefined || made.some(({ kid }) => kid === header.kid);
  return {
    keys,
    entry,
    candidates,
    refused: chosen.ok ? undefined : chosen,
    unsigned: isNamed ? notSigned : otherSigned,
  };
}

/** Algorithm and keys for a header, looked up where that was done before; undefined for an algorithm that is none. */
function choose(header: JoseHeader, keys: readonly Key[]): Choice | undefined {
  const known = choices.get(header);
  if (known !== undefined && known.keys === keys) return known;
  const choice = newChoice(header, keys);
  if (choice !== undefined) choices.set(header, choice);
  return choice;
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
function holds(
  jws: CompactJws,
  { key, name }: Candidate,
  entry: AlgorithmEntry,
  imported: ImportedKeys,
): Promise<boolean> {
  try {
    const known = imported.get(name);
    if (known !== undefined) return holdsUnder(known, jws, entry);
    return importOnce(key, entry, imported).then((publicKey) => holdsUnder(publicKey, jws, entry));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Tries keys, from one on. Engines differ on which bad signatures are false and which are errors; neither is a pass. */
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
  // One closure for all outcomes: an error is no `true`.
  const settle = (held: unknown): T | Promise<T> => {
    if (held === true) return use(candidate.signed, along);
    const next = () => tryKeys(jws, choice, from + 1, context, use, along);
    return held === false && context.onFailure !== undefined ? context.onFailure().then(next) : next();
  };
  return holds(jws, candidate, choice.entry, context.imported).then(settle, settle);
}

/** {@link verifySignature} by an algorithm that this engine has. */
function verifyBy<T, S>(
  choice: Choice,
  jws: CompactJws,
  context: SignatureContext,
  use: Use<T, S>,
  along: S,
): T | Promise<T> {
  if (choice.refused !== undefined) return use(choice.refused, along);
  const { signatureBytes } = choice.entry;
  if (signatureBytes !== undefined && jws.signature.length !== signatureBytes) {
    return use(notSigned, along);
  }
  return tryKeys(jws, choice, 0, context, use, along);
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
  const choice = choose(header, keys);
  if (choice === undefined) return use(refuse('algorithm_refused'), along);
  if (choice.entry.kty !== 'OKP') return verifyBy(choice, jws, context, use, along);
  return hasEd25519().then((has) => (has ? verifyBy(choice, jws, context, use, along) : use(noEd25519, along)));
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
