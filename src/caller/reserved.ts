import { CERTIFICATE_PROVIDER, NOBODY_PROVIDER } from '../policy/reserved.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import type { ClientCertificate } from '../token/client-certificate.ts';
import { isTooLong } from './encode.ts';
import type { Caller, CallerTable } from './types.ts';

/** Subjects that are the gateway's own. */
const OWN = 'meshgate:';

/** How subjects of certificates begin. */
const OF_CERTIFICATES = ['spiffe://', 'dns:', 'x509:'] as const;

const nothing = Object.freeze([]);
const noClaims = Object.freeze({});

/** Who asks without a credential, where the request itself gives a role. No token has this subject. */
export const NOBODY: Caller = Object.freeze({
  provider: NOBODY_PROVIDER,
  subject: `${OWN}nobody`,
  roles: nothing,
  groups: nothing,
  claims: noClaims,
  nobody: true,
});

/**
 * Whether a subject stands for somebody without a token. A JWT-SVID's is a SPIFFE id as well, and the same workload's.
 *
 * @param kind of the provider
 */
export function isReserved(subject: string, kind: string, { certificates }: CallerTable): boolean {
  if (subject.startsWith(OWN)) return true;
  return certificates === true && kind !== 'spiffe' && OF_CERTIFICATES.some((begin) => subject.startsWith(begin));
}

function subjectOf({ spiffe, dns: [name], subject }: ClientCertificate): string {
  if (spiffe !== undefined) return spiffe;
  if (name !== undefined) return `dns:${name}`;
  return subject === '' ? '' : `x509:${subject}`;
}

/**
 * Says who a client is by its certificate alone: the SPIFFE id in it, else its first DNS name, else its subject. What
 * roles it has, each request says.
 *
 * @returns reason `proof_invalid` where there is no name in it, or one too long for a header
 */
export function certificateCaller(certificate: ClientCertificate): Result<Caller> {
  const subject = subjectOf(certificate);
  if (subject === '' || isTooLong(subject)) {
    return refuse('proof_invalid', `the client certificate has ${subject === '' ? 'no name' : 'too long a name'}`);
  }
  return ok({ provider: CERTIFICATE_PROVIDER, subject, roles: nothing, groups: nothing, claims: noClaims });
}
