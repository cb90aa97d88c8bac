import { bitString, contents, type Element, explicit, implicit, TAG, whole, within } from './der.ts';

/** The PEM block of a private key file. */
export interface KeyBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** For an RSAPublicKey the modulus; for any other key the whole text, which is a point of a curve. */
function publicPart(info: Element): Uint8Array | undefined {
  const bits = bitString(within(info)?.[1]);
  if (bits === undefined) return undefined;
  const [modulus] = within(whole(bits)) ?? [];
  return modulus?.tag === TAG.integer ? contents(modulus) : bits;
}

/** The public part inside a private key: an ECPrivateKey (RFC 5915) or RSAPrivateKey (RFC 8017 A.1.2). */
function carried(bytes: Uint8Array): Uint8Array | undefined {
  const fields = within(whole(bytes)) ?? [];
  if (fields[0]?.tag !== TAG.integer) return undefined;
  if (fields[1]?.tag === TAG.integer) return contents(fields[1]);
  const key = fields.find(({ tag }) => tag === explicit(1));
  return bitString(within(key, explicit(1))?.[0]);
}

/** The public part of a private key, if it contains one. */
function publicPartOf({ label, bytes }: KeyBlock): Uint8Array | undefined {
  if (label !== 'PRIVATE KEY') return label === 'ENCRYPTED PRIVATE KEY' ? undefined : carried(bytes);
  // PKCS #8 (RFC 5958): the key of its algorithm is in an OCTET STRING; version 2 has the public key beside it.
  const fields = within(whole(bytes)) ?? [];
  const key = fields.find(({ tag }) => tag === TAG.octetString);
  return (
    (key && carried(contents(key))) ??
    bitString(
      fields.find(({ tag }) => tag === implicit(1)),
      implicit(1),
    )
  );
}

/** Whether a private key belongs to a certificate, by their public parts; nothing is signed.
 *
 * @param publicKey SubjectPublicKeyInfo of the certificate
 * @returns undefined if the key does not contain its public part
 */
export function belongs(key: KeyBlock, publicKey: Element): boolean | undefined {
  const [mine, its] = [publicPartOf(key), publicPart(publicKey)];
  return mine === undefined || its === undefined ? undefined : same(mine, its);
}
