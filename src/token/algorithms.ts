import type { Algorithm } from '../policy/types.ts';
import type { Key } from './types.ts';

/** What WebCrypto and the key choice need to know of one algorithm (RFC 7518 section 3.1, RFC 8037). */
export interface AlgorithmEntry {
  readonly kty: Key['kty'];
  /** The only curve it may be used with. */
  readonly crv?: string;
  readonly import: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly verify: Readonly<Record<string, unknown>> & { readonly name: string };
  /** Exact length of a signature in bytes; RSA signatures are as long as the modulus, which OpenSSL checks. */
  readonly signatureBytes?: number;
}

const rs = (bits: number): AlgorithmEntry => ({
  kty: 'RSA',
  import: { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` },
  verify: { name: 'RSASSA-PKCS1-v1_5' },
});

const ps = (bits: number): AlgorithmEntry => ({
  kty: 'RSA',
  import: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  verify: { name: 'RSA-PSS', saltLength: bits / 8 },
});

const es = (bits: number, crv: string, signatureBytes: number): AlgorithmEntry => ({
  kty: 'EC',
  crv,
  import: { name: 'ECDSA', namedCurve: crv },
  verify: { name: 'ECDSA', hash: `SHA-${bits}` },
  signatureBytes,
});

/** Every algorithm a policy may allow. A map, so that no name of a token finds an inherited member. */
export const algorithms: ReadonlyMap<string, AlgorithmEntry> = new Map<Algorithm, AlgorithmEntry>([
  ['RS256', rs(256)],
  ['RS384', rs(384)],
  ['RS512', rs(512)],
  ['PS256', ps(256)],
  ['PS384', ps(384)],
  ['PS512', ps(512)],
  ['ES256', es(256, 'P-256', 64)],
  ['ES384', es(384, 'P-384', 96)],
  ['ES512', es(512, 'P-521', 132)],
  [
    'EdDSA',
    { kty: 'OKP', crv: 'Ed25519', import: { name: 'Ed25519' }, verify: { name: 'Ed25519' }, signatureBytes: 64 },
  ],
]);
