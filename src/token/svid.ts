import { ok, type Result, refuse } from '../base/reasons.ts';
import { SPIFFE_ID } from '../policy/forms/spiffe-id.ts';
import { type ClientCertificate, readEscaped } from './client-certificate.ts';

export type Svid = Required<Omit<ClientCertificate, 'dns' | 'subject'>>;

/** Reads an X.509-SVID (SPIFFE X509-SVID section 2), which has exactly one URI, the SPIFFE id of a workload. nginx has
 * verified the certificate.
 * @param escaped `$ssl_client_escaped_cert` of nginx; empty if the client showed no certificate
 * @returns reason `proof_missing` or `proof_invalid`; the details contain nothing of the certificate */
export function readSvid(escaped: string): Result<Svid> {
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
