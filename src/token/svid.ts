import { MAX_CERTIFICATE_LENGTH } from '../limits.ts';
import { SPIFFE_ID } from '../policy/spiffe.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { readPem } from '../x509/pem.ts';

/** What the gateway knows of a workload by its certificate. */
export interface Svid {
  readonly spiffe: string;
  /** Seconds since the epoch. */
  readonly notAfter: number;
}

const unreadable = refuse('proof_invalid', 'the client certificate cannot be read');

/** The one certificate of a text as nginx has it in `$ssl_client_escaped_cert`. */
function certificateOf(escaped: string): Certificate | undefined {
  if (escaped.length > MAX_CERTIFICATE_LENGTH) return undefined;
  try {
    const [block, ...more] = readPem(decodeURIComponent(escaped)) ?? [];
    return block?.label === 'CERTIFICATE' && more.length === 0 ? readCertificate(block.bytes) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads an X.509-SVID (SPIFFE X509-SVID section 2): the one URI among its names is the SPIFFE id of a workload. Whether
 * the certificate verifies is nginx's to say.
 *
 * @param escaped nginx's `$ssl_client_escaped_cert`; empty where the client showed none
 * @returns reasons `proof_missing`, `proof_invalid`; nothing of the certificate is in them
 */
export function readSvid(escaped: string): Result<Svid> {
  if (escaped === '') return refuse('proof_missing');
  const certificate = certificateOf(escaped);
  if (certificate === undefined) return unreadable;
  const [uri, ...more] = certificate.uris;
  if (uri === undefined) return refuse('proof_invalid', 'the client certificate has no URI, and so no SPIFFE id');
  if (more.length > 0) return refuse('proof_invalid', 'the client certificate has more than one URI');
  if (SPIFFE_ID.test(uri)) return ok({ spiffe: uri, notAfter: certificate.notAfter });
  return refuse('proof_invalid', 'the URI of the client certificate is not the SPIFFE id of a workload');
}
