import { constants, createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';

/** Private keys made for one test run, and the tokens they sign. Node's own signing, so that no code under test is in it. */

export type KeyName =
  | 'rsa'
  | 'rsa2'
  | 'rsa3072'
  | 'pss'
  | 'p256'
  | 'p256b'
  | 'p384'
  | 'p521'
  | 'ed'
  | 'enc'
  | 'nokid'
  | 'weak';

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

const pairs: Readonly<Record<KeyName, { publicKey: KeyObject; privateKey: KeyObject }>> = {
  rsa: rsa(2048),
  rsa2: rsa(2048),
  rsa3072: rsa(3072),
  pss: rsa(2048),
  p256: ec('P-256'),
  p256b: ec('P-256'),
  p384: ec('P-384'),
  p521: ec('P-521'),
  ed: generateKeyPairSync('ed25519'),
  enc: rsa(2048),
  nokid: ec('P-256'),
  weak: rsa(1024),
};

export type Jwk = JsonWebKey & Record<string, unknown>;

/** The public key with a `kid` of its name, and the given members. */
export function publicJwk(name: KeyName, more: Record<string, unknown> = {}): Jwk {
  const jwk = { ...pairs[name].publicKey.export({ format: 'jwk' }), kid: name, ...more };
  return Object.fromEntries(Object.entries(jwk).filter(([, value]) => value !== undefined));
}

export function privateJwk(name: KeyName): Jwk {
  return { ...pairs[name].privateKey.export({ format: 'jwk' }), kid: name };
}

export const jwks = (...keys: Jwk[]): string => JSON.stringify({ keys });

type Bytes = string | Uint8Array;

export const b64 = (data: Bytes): string => Buffer.from(data as string).toString('base64url');

/** Signs bytes with a key by an algorithm's rules, whatever the header says. */
export function signature(alg: string, name: KeyName, input: Bytes): Buffer {
  const data = Buffer.from(input as string);
  const { privateKey: key, publicKey } = pairs[name];
  const hash = `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case 'RS':
      return sign(hash, data, key);
    case 'PS':
      return sign(hash, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ES':
      return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
    case 'HS':
      return createHmac(hash, publicKey.export({ format: 'pem', type: 'spki' }))
        .update(data)
        .digest();
    default:
      return sign(null, data, key);
  }
}

export interface TokenParts {
  readonly alg?: string;
  readonly key?: KeyName;
  /** Members of the header beside `alg` and `kid`; `undefined` leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The header's bytes instead. */
  readonly rawHeader?: Bytes;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The payload's bytes instead. */
  readonly rawPayload?: Bytes;
  /** Signs by these rules instead of the header's. */
  readonly signAs?: string;
}

/** A token, signed by RS256 with the key `rsa` by default. */
export function makeToken(parts: TokenParts): string {
  const alg = parts.alg ?? 'RS256';
  const key = parts.key ?? 'rsa';
  const header = b64(parts.rawHeader ?? JSON.stringify({ alg, kid: key, ...parts.header }));
  const payload = b64(parts.rawPayload ?? JSON.stringify(parts.claims ?? {}));
  return `${header}.${payload}.${b64(signature(parts.signAs ?? alg, key, `${header}.${payload}`))}`;
}
