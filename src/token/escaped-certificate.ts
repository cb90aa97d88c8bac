import hash from 'crypto';
import { MAX_CERTIFICATE_LENGTH } from '../base/limits.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import { SPIFFE_ID } from '../policy/forms/spiffe-id.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { nameText } from '../x509/name.ts';
import { readPem } from '../x509/pem.ts';

const unreadable = refuse('proof_invalid', 'the client certificate cannot be read');

/** Returns the DER of nginx's `$ssl_client_escaped_cert`; undefined if the text is not exactly one certificate. */
function certificateBytes(escaped: string): Uint8Array | undefined {
  if (escaped.length > MAX_CERTIFICATE_LENGTH) return undefined;
  try {
    const [block, ...more] = readPem(decodeURIComponent(escaped)) ?? [];
    return block?.label === 'CERTIFICATE' && more.length === 0 ? block.bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the SHA-256 of a certificate's DER as base64url: `x5t#S256` (RFC 8705 section 3.1). */
export const thumbprintOf = (bytes: Uint8Array): string => hash.createHash('sha256').update(bytes).digest('base64url');

/** Reads the client certificate as nginx passes it on. Returns `proof_missing` or `proof_invalid` if this fails. */
function readEscaped(escaped: string): Result<Certificate & Pick<ClientCertificate, 'thumbprint'>> {
  if (escaped === '') return refuse('proof_missing');
  const bytes = certificateBytes(escaped);
  const certificate = bytes && readCertificate(bytes);
  return bytes && certificate ? ok({ ...certificate, thumbprint: thumbprintOf(bytes) }) : unreadable;
}

/** What a certificate says about a client. nginx has verified the certificate. Times are seconds since the epoch. */
export interface ClientCertificate {
  /** The SPIFFE id of a workload, if one of the certificate's URIs is a SPIFFE id. */
  readonly spiffe?: string;
  /** DNS names in lower case; names with a wildcard are left out. */
  readonly dns: readonly string[];
  /** The certificate's subject as text (RFC 4514), such as `CN=ci,O=Example`; empty if it has none. */
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the DER, base64url: `x5t#S256` (RFC 8705 section 3.1). */
  readonly thumbprint: string;
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Reads from a certificate who the client is (RFC 5280 section 4.2.1.6).
 * @param escaped `$ssl_client_escaped_cert` of nginx; empty if the client showed no certificate
 * @returns `proof_missing`; or `proof_invalid` if it cannot be read, or has two SPIFFE ids or a malformed one. The
 * details contain nothing of the certificate. */
export function readClientCertificate(escaped: string): Result<ClientCertificate> {
  const read = readEscaped(escaped);
  if (!read.ok) return read;
  const { uris, dnsNames, notBefore, notAfter, thumbprint } = read.value;
  const subject = nameText(read.value.subject);
  if (subject === undefined) return unreadable;
  const [spiffe, ...more] = uris.filter((uri) => /^spiffe:/i.test(uri));
  if (more.length > 0) return refuse('proof_invalid', 'the client certificate has more than one SPIFFE id');
  if (spiffe !== undefined && !SPIFFE_ID.test(spiffe)) {
    return refuse('proof_invalid', 'the URI of the client certificate is not the SPIFFE id of a workload');
  }
  return ok({
    ...(spiffe !== undefined && { spiffe }),
    dns: dnsNames.map((name) => name.toLowerCase()).filter((name) => DNS_NAME.test(name)),
    ...{ subject, notBefore, notAfter, thumbprint },
  });
}

type Svid = Required<Omit<ClientCertificate, 'dns' | 'subject'>>;

/** Reads an X.509-SVID (SPIFFE X509-SVID section 2), which has exactly one URI, the SPIFFE id of a workload. nginx has
 * verified the certificate.
 * @param escaped `$ssl_client_escaped_cert` of nginx; empty if the client showed no certificate
 * @returns reason `proof_missing` or `proof_invalid`; the details contain nothing of the certificate */
export function readClientSvid(escaped: string): Result<Svid> {
  const read = readEscaped(escaped);
  if (!read.ok) return read;
  const { uris, notBefore, notAfter, thumbprint } = read.value;
  const [uri, ...more] = uris;
  if (uri === undefined) return refuse('proof_invalid', 'the client certificate has no URI, and so no SPIFFE id');
  if (more.length > 0) return refuse('proof_invalid', 'the client certificate has more than one URI');
  if (!SPIFFE_ID.test(uri)) {
    return refuse('proof_invalid', 'the URI of the client certificate is not the SPIFFE id of a workload');
  }
  return ok({ spiffe: uri, notBefore, notAfter, thumbprint });
}
