import { ascii, contents, entire, explicit, implicit, objectId, TAG, within } from './der.ts';

/** The parts of a certificate that decide whether it can be that of a client of Linkerd's proxies. */
interface ClientUse {
  readonly isRsa: boolean;
  /** Whether the extended key usage contains clientAuth, or is absent. */
  readonly isForClients: boolean;
  /** The first DNS name or URI among the subject alternative names. */
  readonly firstName?: string;
}

/** Object identifiers in hexadecimal: rsaEncryption, id-ce-subjectAltName, id-ce-extKeyUsage, and
 * id-kp-clientAuth. */
const RSA = '2a864886f70d010101';
const SUBJECT_ALT_NAME = '551d11';
const EXTENDED_KEY_USAGE = '551d25';
const CLIENT_AUTH = '2b06010505070302';

/** Reads these parts of a certificate that {@link readCertificate} has read. */
export function readClientUse(bytes: Uint8Array): ClientUse {
  const fields = within(within(entire(bytes))?.[0]) ?? [];
  // SubjectPublicKeyInfo is the last SEQUENCE among the fields; optional ones follow it.
  const publicKey = fields.filter(({ tag }) => tag === TAG.sequence).at(-1);
  const algorithm = within(within(publicKey)?.[0])?.[0];
  const extensions = fields.find(({ tag }) => tag === explicit(3));
  const entries = within(extensions && within(extensions, explicit(3))?.[0]) ?? [];
  const extension = (id: string) => {
    const value = entries
      .map((it) => within(it) ?? [])
      .find(([own]) => objectId(own) === id)
      ?.at(-1);
    return value && within(entire(contents(value)));
  };
  const first = extension(SUBJECT_ALT_NAME)?.find(({ tag }) => tag === implicit(2) || tag === implicit(6));
  const usages = extension(EXTENDED_KEY_USAGE)?.map(objectId);
  const firstName = first && ascii(first);
  return {
    isRsa: objectId(algorithm) === RSA,
    isForClients: usages === undefined || usages.includes(CLIENT_AUTH),
    ...(firstName !== undefined && { firstName }),
  };
}
