import { CERTIFICATES_PER_CONTEXT } from '../../base/limits.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import { certificateCaller, certificateSubject } from '../../caller/reserved.ts';
import type { TokenAgent } from '../../caller/types.ts';
import { ofCertificate, type Revocable } from '../../session/revocation/revocation.ts';
import { type ClientCertificate, readClientCertificate } from '../../token/escaped-certificate.ts';
import { counterName, increment } from '../shared/counts.ts';
import { type KnownCaller, knownCaller } from '../shared/known.ts';
import { canLookUp, isKeptRevoked, type Kept, unread } from '../shared/revocation-reader.ts';

/** What is remembered about every certificate. */
interface ReadCertificate extends Kept {
  /** Seconds since the epoch. */
  readonly notAfter: number;
  readonly revocable: Revocable;
}

const CERTIFICATE = counterName('verified', ['certificate']);

const revocableOf = ({ revocable }: ReadCertificate): Revocable => revocable;

/** Makes the function with which all code reads the header `SSL-Client-Cert`. Each context reads a certificate once.
 * @param read makes the value for a certificate, see {@link readClientCertificate} and {@link readSvid}
 * @returns a function that returns this value, or a reason: `revoked`, or `proof_invalid` if the certificate has
 * expired since nginx verified it at the beginning of the connection */
export function certificateReader<T extends ReadCertificate>(
  read: (escaped: string) => Result<T>,
): (escaped: string, now: number) => Result<T> {
  const known = new Map<string, Result<T>>();
  // A client usually sends several requests with the same certificate, so the last one is compared first.
  let last: { readonly escaped: string; readonly read: Result<T> } | undefined;

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

/** Makes a {@link certificateReader} for certificates of clients, which can be revoked by their thumbprint, or by their
 * subject under the provider `certificate`. */
export function clientReader<T>(
  make: (certificate: ClientCertificate) => Result<T>,
): (escaped: string, now: number) => Result<T> {
  const readerOf = certificateReader((escaped): Result<ReadCertificate & { readonly made: Result<T> }> => {
    const read = readClientCertificate(escaped);
    if (!read.ok) return read;
    const { thumbprint, notBefore, notAfter } = read.value;
    const subject = certificateSubject(read.value);
    const revocable = { ...ofCertificate(subject), kids: [thumbprint], at: notBefore };
    const made = make(read.value);
    return made.ok ? ok({ made, notAfter, revocable }) : made;
  });
  return (escaped, now) => {
    const read = readerOf(escaped, now);
    return read.ok ? read.value.made : read;
  };
}

/** A function that finds a caller by the client certificate, which nginx has verified. */
type CertificateCallers = (escaped: string, now: number) => Result<KnownCaller>;

/** @param agents agents of the policy; an agent with a SPIFFE id may use its certificate instead of a token
 * @returns a function that returns the caller, or reason `proof_invalid` or `revoked` */
export const certificateCallers = (agents: readonly TokenAgent[] | undefined): CertificateCallers =>
  clientReader((certificate) => {
    // Not counted where a certificate is only read beside another credential.
    increment(CERTIFICATE);
    const caller = certificateCaller(certificate, agents);
    if (!caller.ok) return caller;
    const { notAfter, thumbprint } = certificate;
    return ok({ ...knownCaller(caller.value, '', notAfter, thumbprint), ready: new Map() });
  });
