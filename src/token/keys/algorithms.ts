import type { Algorithm } from '../../policy/checked/types.ts';
import type { ProviderKey } from '../types.ts';

/** The properties of an algorithm that WebCrypto and the choice of keys need (RFC 7518 section 3.1, RFC 8037). */
export interface AlgorithmEntry {
  readonly alg: Algorithm;
  readonly kty: ProviderKey['kty'];
  /** The only curve with which the algorithm may be used. */
  readonly crv?: string;
  readonly import: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly verify: Readonly<Record<string, unknown>> & { readonly name: string };
  /** Exact length of a signature in bytes. Absent for RSA: OpenSSL compares it with the modulus. */
  readonly signatureBytes?: number;
}

const BITS = [256, 384, 512] as const;
type Bits = (typeof BITS)[number];

const rs = (bits: Bits): AlgorithmEntry => ({
  alg: `RS${bits}`,
  kty: 'RSA',
  import: { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` },
  verify: { name: 'RSASSA-PKCS1-v1_5' },
});

const ps = (bits: Bits): AlgorithmEntry => ({
  alg: `PS${bits}`,
  kty: 'RSA',
  import: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  verify: { name: 'RSA-PSS', saltLength: bits / 8 },
});

const es = (bits: Bits, crv: string, signatureBytes: number): AlgorithmEntry => ({
  alg: `ES${bits}`,
  kty: 'EC',
  crv,
  import: { name: 'ECDSA', namedCurve: crv },
  verify: { name: 'ECDSA', hash: `SHA-${bits}` },
  signatureBytes,
});

const ed25519: AlgorithmEntry = {
  alg: 'EdDSA',
  kty: 'OKP',
  crv: 'Ed25519',
  import: { name: 'Ed25519' },
  verify: { name: 'Ed25519' },
  signatureBytes: 64,
};

const curved = [es(256, 'P-256', 64), es(384, 'P-384', 96), es(512, 'P-521', 132), ed25519];

/** All algorithms that a policy may allow. In a Map, a name from a token cannot find an inherited member. */
export const algorithms: ReadonlyMap<string, AlgorithmEntry> = new Map(
  [...BITS.map(rs), ...BITS.map(ps), ...curved].map((entry) => [entry.alg, entry]),
);
