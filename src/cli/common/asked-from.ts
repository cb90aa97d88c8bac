import { isWithin, readAddress, readRange } from '../../base/cidr.ts';
import type { Result } from '../../base/reasons.ts';
import { certificateCaller } from '../../caller/reserved.ts';
import type { Caller, TokenAgent } from '../../caller/types.ts';
import type { AskedFrom } from '../../policy/checked/types.ts';
import { type CertificateNames, isNamed } from '../../policy/facts/certificate.ts';
import type { RequestView } from '../../policy/facts/operator.ts';

/** The note if the result depends on the client's address and no address is given. */
export const ADDRESS_UNSAID = 'the result depends on the client’s address, which is not given';

/** Returns the names of a certificate for which the user gave one name. */
export function namesOf(certificate: string): CertificateNames {
  return certificate.startsWith('spiffe:') ? { spiffe: certificate, dns: [] } : { dns: [certificate] };
}

/** Returns the request as a test or a command describes it. Without an address, facts about networks are unknown. */
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

/** Returns the caller whose only credential is a certificate with this name. */
export function holderOf(certificate: string, agents?: readonly TokenAgent[]): Result<Caller> {
  const named = { ...namesOf(certificate), subject: '', notBefore: 0, notAfter: 0, thumbprint: '' };
  return certificateCaller(named, agents);
}

/** Describes in words where a request comes from; empty if neither address nor certificate is given. */
export function fromText({ network, certificate }: AskedFrom): string {
  return [
    ...(network === undefined ? [] : [`from ${network}`]),
    ...(certificate === undefined ? [] : [`with the certificate of ${certificate}`]),
  ].join(', ');
}
