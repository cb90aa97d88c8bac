import { certificateSubject } from '../caller/reserved.ts';
import { CERTIFICATES_PER_CONTEXT } from '../limits.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import { type Result, refuse } from '../reasons.ts';
import type { Revocable } from '../session/revocation.ts';
import type { ClientCertificate } from '../token/client-certificate.ts';
import { canLookUp, isKeptRevoked, type Kept, unread } from './revocation-reader.ts';

/** What each reader keeps of a certificate. */
export interface ReadCertificate extends Kept {
  /** Seconds since the epoch. */
  readonly notAfter: number;
  readonly revocable: Revocable;
}

/** The properties by which a certificate can be revoked: its subject, with the provider `certificate`, and its
 * thumbprint. */
export const revocableCertificate = (
  certificate: Pick<ClientCertificate, 'spiffe' | 'dns' | 'subject' | 'notBefore' | 'thumbprint'>,
): Revocable => ({
  provider: CERTIFICATE_PROVIDER,
  subject: certificateSubject(certificate),
  kids: [certificate.thumbprint],
  at: certificate.notBefore,
});

const revocableOf = ({ revocable }: ReadCertificate): Revocable => revocable;

/** The certificate that was read last. A client usually sends several requests with one, so it is compared first. */
interface Last<T> {
  readonly escaped: string;
  readonly read: Result<T>;
}

/** Reads certificates as nginx passes them, in `SSL-Client-Cert`, each once per context. Every certificate is read
 * here.
 *
 * @param read makes a value of the text, see {@link readClientCertificate} and {@link readSvid}
 * @returns a function that returns this value, or `proof_invalid` if the certificate has expired since the connection
 * began, when nginx checked it, or `revoked`
 */
export function certificateReader<T extends ReadCertificate>(
  read: (escaped: string) => Result<T>,
): (escaped: string, now: number) => Result<T> {
  const known = new Map<string, Result<T>>();
  let last: Last<T> | undefined;

  function recall(escaped: string): Result<T> {
    let made = known.get(escaped);
    if (made === undefined) {
      made = read(escaped);
      if (known.size >= CERTIFICATES_PER_CONTEXT) known.clear();
      known.set(escaped, made);
    }
    last = { escaped, read: made };
    return made;
  }

  return (escaped, now) => {
    const made = last?.escaped === escaped ? last.read : recall(escaped);
    if (!made.ok) return made;
    if (made.value.notAfter <= now) return refuse('proof_invalid', 'the client certificate has expired');
    if (!canLookUp()) return unread;
    return isKeptRevoked(made.value, revocableOf) ? refuse('revoked', 'the client certificate is revoked') : made;
  };
}
