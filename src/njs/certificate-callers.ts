import { certificateCaller } from '../caller/reserved.ts';
import type { TokenAgent } from '../caller/types.ts';
import { ok, type Result } from '../reasons.ts';
import { readClientCertificate } from '../token/client-certificate.ts';
import { certificateReader, type ReadCertificate, revocableCertificate } from './certificates.ts';
import { type KnownCaller, knownCaller } from './known.ts';

/** The caller of a certificate. */
interface Holder extends ReadCertificate {
  readonly known: KnownCaller;
}

function readHolder(escaped: string, agents: readonly TokenAgent[] | undefined): Result<Holder> {
  const read = readClientCertificate(escaped);
  if (!read.ok) return read;
  const caller = certificateCaller(read.value, agents);
  if (!caller.ok) return caller;
  const { notAfter, thumbprint } = read.value;
  const known = { ...knownCaller(caller.value, '', notAfter, thumbprint), ready: new Map() };
  return ok({ notAfter, known, revocable: revocableCertificate(read.value) });
}

/** Callers by their client certificates, which nginx has verified. */
export class CertificateCallers {
  readonly #holderOf: (escaped: string, now: number) => Result<Holder>;

  /** @param agents of the policy that send tokens: an agent with a SPIFFE id may use its certificate instead */
  constructor(agents: readonly TokenAgent[] | undefined) {
    this.#holderOf = certificateReader((escaped) => readHolder(escaped, agents));
  }

  /** The caller who shows a certificate.
   *
   * @param escaped as nginx passes it
   * @returns reasons `proof_invalid`, `revoked`
   */
  meet(escaped: string, now: number): Result<KnownCaller> {
    const holder = this.#holderOf(escaped, now);
    return holder.ok ? ok(holder.value.known) : holder;
  }
}
