import {
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

/** A signing key of a made-up issuer. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: GenerateKeyPairResult['privateKey'];
  /** Public part, with `kid`, `alg` and `use`. */
  readonly jwk: JWK;
}

export interface KeyOptions {
  /** Default: the key's thumbprint. */
  readonly kid?: string;
  readonly modulusLength?: number;
}

/** Makes a key pair for a JWS algorithm. */
export async function createKey(alg = 'RS256', options: KeyOptions = {}): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    ...(options.modulusLength === undefined ? {} : { modulusLength: options.modulusLength }),
  });
  const bare = await exportJWK(publicKey);
  const kid = options.kid ?? (await calculateJwkThumbprint(bare));
  return { kid, alg, privateKey, jwk: { ...bare, kid, alg, use: 'sig' } };
}

/** The private key as PEM (PKCS #8), for load generators and hostile tests. */
export function privatePem(key: SigningKey): Promise<string> {
  return exportPKCS8(key.privateKey);
}

export interface SignOptions {
  /** Over `alg`, `kid`, and `typ: at+jwt`; a value of undefined removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/**
 * Signs an access token. Claims over `iat` (now) and `exp` (in ten minutes); a value of undefined removes one.
 * Everything else is as given: nothing is checked, so that wrong tokens can be made.
 */
export function signToken(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  options: SignOptions = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const header = clean({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...options.header }) as JWTHeaderParameters;
  return new SignJWT(clean({ iat: now, exp: now + 600, ...claims })).setProtectedHeader(header).sign(key.privateKey);
}

/** A token-shaped text of any header and claims, with any third part. */
export function forgeToken(header: unknown, claims: unknown, signature = ''): string {
  const part = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

function clean(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
