import { certificateCaller } from '../caller/reserved.ts';
import type { TokenAgent } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { isRevoked } from '../session/revocation.ts';
import { readClientCertificate } from '../token/client-certificate.ts';
import { certificateReader } from './certificates.ts';
import { hasRevocations, lookRevoked } from './epoch.ts';
import type { KeyStore } from './keys.ts';
import { type KnownCaller, knownCaller } from './known.ts';

/** Who has a certificate. */
interface Holder {
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly known: KnownCaller;
  /** Called back, as of the caller's epoch. */
  revoked: boolean;
}

function readHolder(escaped: string, agents: readonly TokenAgent[] | undefined): Result<Holder> {
  const read = readClientCertificate(escaped);
  if (!read.ok) return read;
  const caller = certificateCaller(read.value, agents);
  if (!caller.ok) return caller;
  const { notBefore, notAfter, thumbprint } = read.value;
  const known = { ...knownCaller(caller.value, '', notAfter, thumbprint), ready: new Map() };
  return ok({ notBefore, notAfter, known, revoked: false });
}

const isCalledBack = ({ known, notBefore }: Holder): boolean =>
  isRevoked(lookRevoked, {
    provider: CERTIFICATE_PROVIDER,
    subject: known.caller.subject,
    kids: [known.key],
    at: notBefore,
  });

/** Callers by their client certificates, which nginx has verified. */
export class CertificateCallers {
  readonly #keys: KeyStore;
  readonly #holderOf: (escaped: string, now: number) => Result<Holder>;

  /** @param agents of the policy that come with tokens: one by its SPIFFE id comes with its certificate too */
  constructor(keys: KeyStore, agents: readonly TokenAgent[] | undefined) {
    this.#keys = keys;
    this.#holderOf = certificateReader((escaped) => readHolder(escaped, agents));
  }

  /**
   * Who shows a certificate.
   *
   * @param escaped as nginx passes it
   * @returns reasons `proof_invalid`, `revoked`: by its subject, as one of the provider `certificate`, or its thumbprint
   */
  meet(escaped: string, now: number): Result<KnownCaller> {
    const holder = this.#holderOf(escaped, now);
    if (!holder.ok) return holder;
    const { known } = holder.value;
    const epoch = this.#keys.epoch();
    if (known.epoch !== epoch) {
      known.epoch = epoch;
      holder.value.revoked = hasRevocations(epoch) && isCalledBack(holder.value);
    }
    return holder.value.revoked ? refuse('revoked') : ok(known);
  }
}
