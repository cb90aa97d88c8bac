import { bitString, contents, type Element, entire, explicit, implicit, TAG, within } from './der.ts';
import type { PemBlock } from './pem.ts';

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Returns the public part of a key: for RSA the modulus, for EC the bytes of the bit string, a point of the curve. */
function publicPart(info: Element): Uint8Array | undefined {
  const bits = bitString(within(info)?.[1]);
  if (bits === undefined) return undefined;
  const [modulus] = within(entire(bits)) ?? [];
  return modulus?.tag === TAG.integer ? contents(modulus) : bits;
}

/** Returns the public part inside an ECPrivateKey (RFC 5915) or an RSAPrivateKey (RFC 8017 A.1.2). */
function publicKeyIn(bytes: Uint8Array): Uint8Array | undefined {
  const fields = within(entire(bytes)) ?? [];
  if (fields[0]?.tag !== TAG.integer) return undefined;
  if (fields[1]?.tag === TAG.integer) return contents(fields[1]);
  const key = fields.find(({ tag }) => tag === explicit(1));
  return bitString(within(key, explicit(1))?.[0]);
}

/** Returns the public part of a private key file, if the file contains it. */
function publicPartOf({ label, bytes }: PemBlock): Uint8Array | undefined {
  if (label !== 'PRIVATE KEY') return label === 'ENCRYPTED PRIVATE KEY' ? undefined : publicKeyIn(bytes);
  // PKCS #8 (RFC 5958): an OCTET STRING contains the key in the format of its algorithm; in version 2, the public key
  // follows.
  const fields = within(entire(bytes)) ?? [];
  const field = (wanted: number) => fields.find(({ tag }) => tag === wanted);
  const key = field(TAG.octetString);
  return (key && publicKeyIn(contents(key))) ?? bitString(field(implicit(1)), implicit(1));
}

/** Whether a private key belongs to a certificate. It compares their public parts without a signature.
 * @param publicKey SubjectPublicKeyInfo of the certificate
 * @returns undefined if the private key does not contain its public part */
export function belongs(key: PemBlock, publicKey: Element): boolean | undefined {
  const [mine, its] = [publicPartOf(key), publicPart(publicKey)];
  return mine === undefined || its === undefined ? undefined : same(mine, its);
}
