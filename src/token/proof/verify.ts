import { MAX_JTI_LENGTH, MAX_PROOF_LENGTH, PROOF_KEYS_PER_CONTEXT } from '../../base/limits.ts';
import { ok, type Refused, type Result, refuse } from '../../base/reasons.ts';
import { quoted } from '../detail.ts';
import { type CompactJws, parseClaims } from '../format.ts';
import { decodeCanonical } from '../json.ts';
import { type SignatureContext, verifySignatureWith } from '../signature.ts';
import type { Claims, ProviderKey } from '../types.ts';
import { readProofKey } from './proof-key.ts';
import type { DpopProof, ExpectedProof, ProofKey } from './types.ts';

export interface ProofContext extends SignatureContext {
  /** Parsed keys by the text of their header. All proofs of one client have the same header. */
  readonly known: Map<string, ProofKey>;
  /** Returns the SHA-256 of a text as base64url. */
  readonly digest: (text: string) => string;
}

const wrong = (detail: string) => refuse('proof_invalid', detail);

const malformed = wrong('the proof is not a signed JWT, or there are several "DPoP" headers');

const encoder = new TextEncoder();

/** Splits a proof into its three parts. nginx joins two headers by a comma, so they are not a proof. */
function splitProof(text: string): CompactJws | undefined {
  const dot = text.indexOf('.');
  const end = text.lastIndexOf('.');
  if (text.length > MAX_PROOF_LENGTH || dot < 1 || end === dot || end === text.length - 1) return undefined;
  const payload = decodeCanonical(text.slice(dot + 1, end));
  const signature = decodeCanonical(text.slice(end + 1));
  if (payload === undefined || signature === undefined) return undefined;
  return { header: text.slice(0, dot), payload, signature, input: encoder.encode(text.slice(0, end)) };
}

/** Returns the key of a proof, if the token is bound to it. Only such keys are cached, so no other key displaces
 * them. */
function keyOf(header: string, { thumbprint }: ExpectedProof, { known, digest }: ProofContext): Result<ProofKey> {
  const before = known.get(header);
  const key = before === undefined ? readProofKey(header, digest) : ok(before);
  if (!key.ok) return key;
  if (key.value.keys[0].thumbprint !== thumbprint) return wrong('the token is not bound to the key of the proof');
  if (before === undefined) {
    if (known.size >= PROOF_KEYS_PER_CONTEXT) known.delete(known.keys().next().value as string);
    known.set(header, key.value);
  }
  return key;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Checks `iat` of a proof by the gateway's clock, and `exp` and `nbf` if they are present. */
function checkProofTimes({ iat, exp, nbf }: Claims, { now, age, skew }: ExpectedProof): Refused {
  if (!isNumber(iat)) return wrong('the proof\'s "iat" is not a number');
  if (iat > now + skew) return wrong(`the proof's "iat" is ${iat}, the time is ${Math.floor(now)}: clocks differ`);
  if (iat < now - age) return wrong(`the proof's "iat" is ${iat}, the time is ${Math.floor(now)}: too old`);
  if (exp !== undefined && !(isNumber(exp) && exp > now - skew)) return wrong('the proof has expired');
  if (nbf !== undefined && !(isNumber(nbf) && nbf <= now + skew)) return wrong('the proof is not valid yet');
  return undefined;
}

/** Checks that a proof is for this request (RFC 9449 section 4.3, items 8 to 12). */
function checkProofClaims(claims: Claims, expected: ExpectedProof): Refused {
  const { jti, htm, htu, ath, nonce } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
    return wrong(`the proof's "jti" is not a text of 1 to ${MAX_JTI_LENGTH} characters`);
  }
  if (htm !== expected.method) return wrong(`the proof is for another method: ${quoted(htm)}`);
  if (typeof htu !== 'string' || !isSameUrl(htu, expected.url)) {
    return wrong(`the proof is for ${quoted(htu)}, the request for ${quoted(expected.url)}`);
  }
  if (ath !== expected.tokenHash) return wrong('the proof\'s "ath" is not the hash of this token');
  const untimely = checkProofTimes(claims, expected);
  if (untimely !== undefined) return untimely;
  const { nonces } = expected;
  if (nonces === undefined || nonces.includes(nonce as string)) return undefined;
  return refuse('proof_nonce_required');
}

/** A proof whose signature is being verified, and the function that receives the result. */
type Read<T, S> = readonly [proof: DpopProof, use: (proved: Result<DpopProof>, along: S) => T | Promise<T>, along: S];

function verifyWith<T, S>(signer: Result<ProviderKey>, [proof, use, along]: Read<T, S>): T | Promise<T> {
  return use(signer.ok ? ok(proof) : wrong('the signature does not match the proof'), along);
}

/** Verifies a DPoP proof (RFC 9449 section 4.3): form, key, claims about the request, signature. It does not check
 * whether the proof was used before. It never throws, whatever the text is. Only the engine makes a promise.
 * @param use receives the proof, or reason `proof_invalid` or `proof_nonce_required`; its result is returned */
export function verifyDpopProof<T, S>(
  text: string,
  expected: ExpectedProof,
  context: ProofContext,
  use: (proved: Result<DpopProof>, along: S) => T | Promise<T>,
  along: S,
): T | Promise<T> {
  const jws = splitProof(text);
  if (jws === undefined) return use(malformed, along);
  const key = keyOf(jws.header, expected, context);
  if (!key.ok) return use(key, along);
  const claims = parseClaims(jws.payload);
  if (claims === undefined) return use(wrong("the proof's payload is not a claims set"), along);
  const refused = checkProofClaims(claims, expected);
  if (refused !== undefined) return use(refused, along);
  const proof = { jti: claims.jti as string, until: (claims.iat as number) + expected.age };
  const { header, keys } = key.value;
  return verifySignatureWith(jws, header, keys, context, verifyWith<T, S>, [proof, use, along]);
}

/** Matches an absolute URL: scheme, host with its port, and the rest. */
const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@\\]+)([^?#]*)/;

const unreserved = /[A-Za-z0-9._~-]/;

/** Decodes characters that need no encoding, and writes other encodings in upper case (RFC 3986 section 6.2.2). */
const plainPath = (path: string): string =>
  path.replace(/%([0-9A-Fa-f]{2})/g, (octet, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(char) ? char : octet.toUpperCase();
  });

const usualPorts: Readonly<Record<string, string>> = { https: ':443', http: ':80' };

/** Returns the URL in its normal form, without query and fragment; `undefined` if it is not absolute. */
function normal(url: string): string | undefined {
  const [, scheme, authority, path] = parts.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) return undefined;
  const lower = scheme.toLowerCase();
  const port = usualPorts[lower];
  const host = authority.toLowerCase();
  const named = port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
  return `${lower}://${named}${path === '' ? '/' : plainPath(path)}`;
}

/** Whether the URL in a proof is that of the request, its origin and raw path. Query and fragment are ignored, and
 * spellings with the same meaning by RFC 3986 section 6.2 are equal (RFC 9449 section 4.3). Dot segments are not
 * resolved, because the gateway rejects paths that contain them. */
export function isSameUrl(htu: string, url: string): boolean {
  if (htu === url) return true;
  const one = normal(htu);
  return one !== undefined && one === normal(url);
}
