import { ascii, contents, type Element, entire, explicit, implicit, objectId, readTime, TAG, within } from './der.ts';

/** The parts of an X.509 certificate that the gateway reads. This code verifies nothing. */
export interface Certificate {
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The URIs among the subject alternative names. An X.509-SVID has exactly one, its SPIFFE id. */
  readonly uris: readonly string[];
  /** The DNS names among the subject alternative names, as the certificate contains them. */
  readonly dnsNames: readonly string[];
  /** The subject, as a Name (RFC 5280 section 4.1.2.6). */
  readonly subject: Element;
  readonly publicKey: Element;
}

/** The object identifier of id-ce-subjectAltName: 2.5.29.17. */
const SUBJECT_ALT_NAME = '551d11';

/** Reads a certificate in DER (RFC 5280 section 4.1); undefined if the bytes are not a certificate. */
export function readCertificate(bytes: Uint8Array): Certificate | undefined {
  const [tbs, algorithm, signature, ...more] = within(entire(bytes)) ?? [];
  if (algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString || more.length > 0) return undefined;
  const all = within(tbs) ?? [];
  const fields = all[0]?.tag === explicit(0) ? all.slice(1) : all;
  const [serial, , issuer, validity, subject, publicKey, ...optional] = fields;
  if (serial?.tag !== TAG.integer || issuer?.tag !== TAG.sequence || subject?.tag !== TAG.sequence) return undefined;
  const times = within(validity) ?? [];
  const [notBefore, notAfter] = times.map(readTime);
  if (notBefore === undefined || notAfter === undefined || times.length !== 2) return undefined;
  if (publicKey?.tag !== TAG.sequence) return undefined;
  const names = namesOf(optional.find(({ tag }) => tag === explicit(3)));
  return names && { notBefore, notAfter, ...names, subject, publicKey };
}

/** Returns the texts of one kind among general names; undefined if one of them is not printable ASCII. */
function textsOf(general: readonly Element[], kind: number): readonly string[] | undefined {
  const texts = general.filter(({ tag }) => tag === implicit(kind)).map(ascii);
  return texts.every((text): text is string => text !== undefined) ? texts : undefined;
}

/** Returns the subject alternative names; undefined if the extensions are malformed or contain these names twice. */
function namesOf(extensions: Element | undefined): Pick<Certificate, 'uris' | 'dnsNames'> | undefined {
  if (extensions === undefined) return { uris: [], dnsNames: [] };
  const lists = within(extensions, explicit(3)) ?? [];
  const entries = within(lists[0])?.map((entry) => within(entry) ?? []);
  if (entries === undefined || lists.length > 1) return undefined;
  if (entries.some(([id, ...rest]) => id?.tag !== TAG.objectId || rest.at(-1)?.tag !== TAG.octetString))
    return undefined;
  const names = entries.filter(([id]) => objectId(id) === SUBJECT_ALT_NAME).map((entry) => entry.at(-1) as Element);
  if (names.length === 0) return { uris: [], dnsNames: [] };
  const general = names.length === 1 ? within(entire(contents(names[0] as Element))) : undefined;
  const [dnsNames, uris] = [general && textsOf(general, 2), general && textsOf(general, 6)];
  return uris && dnsNames && { uris, dnsNames };
}
