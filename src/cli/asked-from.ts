import { certificateCaller } from '../caller/reserved.ts';
import type { Caller, TokenAgent } from '../caller/types.ts';
import { isWithin, readAddress, readRange } from '../cidr.ts';
import { type CertificateNames, isNamed } from '../policy/facts/certificate.ts';
import type { RequestView } from '../policy/facts/operator.ts';
import type { AskedFrom } from '../policy/types.ts';
import type { Result } from '../reasons.ts';

/** The note for a test or a command whose result would differ from most addresses. */
export const ADDRESS_UNSAID = 'the answer depends on the client’s address, which is not given';

/** The names in a certificate of which one is given. */
export function namesOf(certificate: string): CertificateNames {
  return certificate.startsWith('spiffe:') ? { spiffe: certificate, dns: [] } : { dns: [certificate] };
}

/** The request as a test or a command describes it. Without an address it comes from an address that no fact names. */
export function requestView({ network, certificate }: AskedFrom): RequestView {
  const address = network === undefined ? undefined : readAddress(network);
  const names = certificate === undefined ? undefined : namesOf(certificate);
  const isIn = (text: string): boolean => {
    const range = readRange(text);
    return address !== undefined && range !== undefined && isWithin(address, range);
  };
  return {
    within: (ranges) => (address === undefined ? undefined : ranges.some(isIn)),
    named: (name) => (names === undefined ? undefined : isNamed(names, name)),
  };
}

/** The caller who shows a certificate with this name and no other credential. */
export function holderOf(certificate: string, agents?: readonly TokenAgent[]): Result<Caller> {
  const named = { ...namesOf(certificate), subject: '', notBefore: 0, notAfter: 0, thumbprint: '' };
  return certificateCaller(named, agents);
}

/** Where a request comes from, in words; empty if it is not given. */
export function fromText({ network, certificate }: AskedFrom): string {
  return [
    ...(network === undefined ? [] : [`from ${network}`]),
    ...(certificate === undefined ? [] : [`with the certificate of ${certificate}`]),
  ].join(', ');
}
