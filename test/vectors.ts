import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ReasonCode } from '../src/base/reasons.ts';

/**
 * Vectors of other projects (Wycheproof, RFC 7515 appendix A, Istio), each with the reason it must come to.
 * The unit tests run them against the verification, the gateway's tests through real nginx.
 * The folder is what MESHGATE_VECTORS names; without it the tests that need it are skipped and say so, unless
 * MESHGATE_VECTORS_REQUIRED is 1.
 */
export interface Vector {
  readonly id: string;
  /** Vectors of one group share a key set, and so an issuer. */
  readonly group: string;
  /** The JWKS document that the issuer serves. */
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  readonly token: string;
  readonly expected: VectorOutcome;
  /** Present if the token names an issuer or audience itself. */
  readonly issuer?: string;
  readonly audience?: string;
  /** Why the result differs from that of the source. */
  readonly because?: string;
}

export interface VectorOutcome {
  readonly outcome: 'verified' | ReasonCode;
  /** A detail is given if the signature is valid. */
  readonly detail?: string | null;
}

/** The signature is valid, and the payload is not a claims set. */
export const pastSignature: VectorOutcome = {
  outcome: 'token_malformed',
  detail: 'the payload is not a claims set',
};

export const vectorsFolder =
  process.env.MESHGATE_VECTORS ?? fileURLToPath(new URL('../../shared/vectors', import.meta.url));

/** Why the vectors cannot run, in one line; undefined if they are there. Throws if they must be there and are not. */
export function lacksVectors(): string | undefined {
  if (existsSync(vectorsFolder)) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no vectors in ${vectorsFolder}`);
  return `no folder ${vectorsFolder} (MESHGATE_VECTORS): vectors of Wycheproof, RFC 7515 and Istio`;
}

const read = (file: string) => JSON.parse(readFileSync(`${vectorsFolder}/${file}`, 'utf8'));

interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: unknown;
  readonly result: 'valid' | 'invalid';
}

interface WycheproofGroup {
  readonly comment: string;
  readonly public?: Record<string, unknown>;
  readonly private?: Record<string, unknown>;
  readonly tests: readonly WycheproofTest[];
}

/** A text that is not a canonical compact JWS stops at the format, whatever its algorithm. */
const malformed = [
  /^rejectsMissing(Signature|Header|PayloadAndSeparator)/,
  /^rejects(EmptyString|Extra|ValidJsonSerialization|NoneAlgorithmAndMissingSignature)/,
  /^algIsNone$/,
  /^(rejectsS|s)paces(InMac|InHeader|InPayload)$/,
  /InvalidCharacter/,
  /^invalidCharacters/,
  // Both payloads end in unused bits that are set.
  /^ModifiedUnusedBitsInPayload$/,
  /^MacOfIncorrectlyEncodedMessage$/,
];

/** Tests of the signature file that stop at the key: it has another `kid`, or is bound to another use or algorithm. */
const signatureKeyUnknown: Readonly<Record<number, string>> = {
  25: 'kid changed',
  40: 'kid changed',
  332: 'key bound to PS512',
  334: 'key bound to PS512',
  336: 'key bound to PS512',
  338: 'key bound to PS512',
  340: 'key bound to PS512',
  353: 'use: enc',
  354: 'use: enc',
  355: 'key_ops: encrypt',
  356: 'key_ops: encrypt',
};

/** Valid by Wycheproof, but not for a reader that honours `alg` of a key as its tests 332 and JWK 19 expect. */
const disputed: Readonly<Record<number, string>> = {
  346: 'the token is PS384, its key is bound to PS256',
  350: 'the token is PS384, its key is bound to PS256',
  347: 'the key is bound to "ES521", which is no algorithm',
  351: 'the key is bound to "ES521", which is no algorithm',
};

/** Tests of the key file whose key is not used. */
const jwkKeyUnknown: Readonly<Record<number, string>> = {
  6: 'use: enc',
  7: 'made by a chip with ROCA',
  8: 'RSA of 1024 bits',
  9: 'RSA exponent 1',
  19: 'alg of another curve',
  20: 'alg unknown',
  21: 'use: enc',
  22: 'point not on the curve',
  23: 'point of another curve',
  24: 'members of another type',
};

function reasonOf(
  test: WycheproofTest,
  alg: string | undefined,
  atKey: Readonly<Record<number, string>>,
): VectorOutcome {
  if (malformed.some((pattern) => pattern.test(test.comment))) return { outcome: 'token_malformed' };
  // No symmetric key is ever used: valid or not, these stop at the algorithm.
  if (alg?.startsWith('HS')) return { outcome: 'algorithm_refused', detail: null };
  if (test.tcId in atKey) return { outcome: 'key_unknown' };
  return test.result === 'valid' ? pastSignature : { outcome: 'signature_invalid', detail: null };
}

/** `alg` of a token's header, read as leniently as possible. */
function algOf(token: string): string | undefined {
  return /"alg"\s*:\s*"(\w+)"/.exec(Buffer.from(token.split('.')[0]!, 'base64url').toString())?.[1];
}

/** The public keys of a group; a symmetric group serves the private ones, as a careless provider would. */
function jwksOf({ public: published, private: kept }: WycheproofGroup): Vector['jwks'] {
  const keys = published ?? kept ?? {};
  return 'keys' in keys ? (keys as Vector['jwks']) : { keys: [keys] };
}

function wycheproof(file: string, name: string, atKey: Readonly<Record<number, string>>): Vector[] {
  const groups: readonly WycheproofGroup[] = read(file).testGroups;
  return groups.flatMap((group, index) =>
    group.tests.map((test): Vector => {
      const token = typeof test.jws === 'string' ? test.jws : JSON.stringify(test.jws);
      const because = atKey === signatureKeyUnknown ? disputed[test.tcId] : undefined;
      return {
        id: `${name} ${test.tcId} ${test.comment}`,
        group: `${name}-${index}`,
        jwks: jwksOf(group),
        token,
        expected: because ? { outcome: 'key_unknown' } : reasonOf(test, algOf(token), atKey),
        ...(because !== undefined && { because }),
      };
    }),
  );
}

/** Wycheproof's JWS and JWK tests. Their payloads are not claims sets. */
export function wycheproofVectors(): Vector[] {
  return [
    ...wycheproof('wycheproof_json_web_signature_test.json', 'jws', signatureKeyUnknown),
    ...wycheproof('wycheproof_json_web_key_test.json', 'jwk', jwkKeyUnknown),
  ];
}

/** The expected result of each example of RFC 7515 appendix A; their `exp` is in 2011. */
const rfc7515: Readonly<Record<string, VectorOutcome>> = {
  'A.1': { outcome: 'algorithm_refused' },
  'A.2': { outcome: 'token_expired' },
  'A.3': { outcome: 'token_expired' },
  'A.4': pastSignature,
  'A.5': { outcome: 'token_malformed' },
};

export function rfcVectors(): Vector[] {
  const { vectors } = read('rfc7515_appendix_A.json') as {
    vectors: { id: string; key: Record<string, unknown> | null; jws: string }[];
  };
  return vectors.map(({ id, key, jws }) => ({
    id: `RFC 7515 ${id}`,
    group: `rfc7515-${id}`,
    jwks: { keys: key === null ? [] : [key] },
    token: jws,
    issuer: 'joe',
    expected: rfc7515[id]!,
  }));
}

/** Audience of the Istio tokens that have one. */
const istioAudience = 'foo';

/** Istio's own test tokens; most have no audience, which this gateway requires. */
export type IstioVector = Vector & { readonly claims: Record<string, unknown> };

interface IstioToken {
  readonly name: string;
  readonly jwt: string;
  readonly payload: Record<string, unknown>;
}

/** The tokens of Istio's end-to-end tests, valid until after 2100, and the two of its documentation. */
export function istioVectors(): IstioVector[] {
  const { jwks, tokens } = read('istio_jwt/istio_tokens.json') as { jwks: Vector['jwks']; tokens: IstioToken[] };
  const documented = ['demo', 'groups-scope'].map((name): IstioToken => {
    const jwt = readFileSync(`${vectorsFolder}/istio_jwt/${name}.jwt`, 'utf8').trim();
    return { name, jwt, payload: JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) };
  });
  return [...istioGroup('istio', jwks, tokens), ...istioGroup('istio-docs', read('istio_jwt/jwks.json'), documented)];
}

function istioGroup(group: string, jwks: Vector['jwks'], tokens: readonly IstioToken[]): IstioVector[] {
  return tokens.map(({ name, jwt, payload }) => ({
    id: `Istio ${name}`,
    group,
    jwks,
    token: jwt,
    issuer: payload.iss as string,
    audience: istioAudience,
    claims: payload,
    expected: istioOutcome(name, payload),
  }));
}

function istioOutcome(name: string, payload: Record<string, unknown>): VectorOutcome {
  if (name === 'TokenExpired') return { outcome: 'token_expired' };
  return 'aud' in payload ? { outcome: 'verified' } : { outcome: 'claim_absent', detail: 'the token has no "aud"' };
}
