import { ok, type Result, refuse } from '../base/reasons.ts';
import { CERTIFICATE_PROVIDER, NOBODY_PROVIDER } from '../policy/forms/reserved-names.ts';
import type { ClientCertificate } from '../token/escaped-certificate.ts';
import { isTooLong } from './encode.ts';
import type { Caller, CallerTable, TokenAgent } from './types.ts';

/** Prefix of subjects that the gateway itself assigns. */
export const OWN = 'meshgate:';

/** Prefixes of subjects that come from certificates. */
const OF_CERTIFICATES = ['spiffe://', 'dns:', 'x509:'] as const;

const nothing = Object.freeze([]);
const noClaims = Object.freeze({});

/** An anonymous caller to which the request itself gives a role. No token can have this subject. */
export const ANONYMOUS_CALLER: Caller = Object.freeze({
  provider: NOBODY_PROVIDER,
  subject: `${OWN}nobody`,
  roles: nothing,
  groups: nothing,
  claims: noClaims,
  nobody: true,
});

/** Whether a subject is reserved for callers without a token. The SPIFFE id of a JWT-SVID names the same workload. */
export function isReserved(subject: string, kind: string, { certificates }: CallerTable): boolean {
  if (subject.startsWith(OWN)) return true;
  return certificates === true && kind !== 'spiffe' && OF_CERTIFICATES.some((begin) => subject.startsWith(begin));
}

export function certificateSubject(certificate: Pick<ClientCertificate, 'spiffe' | 'dns' | 'subject'>): string {
  const { spiffe, subject } = certificate;
  const [name] = certificate.dns;
  if (spiffe !== undefined) return spiffe;
  if (name !== undefined) return `dns:${name}`;
  return subject === '' ? '' : `x509:${subject}`;
}

/** Returns the agent with the SPIFFE id of a certificate. With a token, the workload is the same agent. */
function agentIn({ spiffe }: ClientCertificate, agents: readonly TokenAgent[]): TokenAgent | undefined {
  if (spiffe === undefined) return undefined;
  return agents.find(({ match }) => match.kind === 'spiffe' && match.spiffe === spiffe);
}

/** Returns the caller of a request whose only credential is a certificate: its subject is the SPIFFE id, else the first
 * DNS name, else the certificate's subject. An agent with this id is alone. The roles depend on the request and are
 * added later.
 * @returns reason `proof_invalid` if the certificate has no name or a name that is too long for a header; or
 * `proof_missing` if it belongs to an agent that must use DPoP */
export function certificateCaller(certificate: ClientCertificate, agents: readonly TokenAgent[] = []): Result<Caller> {
  const subject = certificateSubject(certificate);
  if (subject === '' || isTooLong(subject)) {
    return refuse('proof_invalid', `the client certificate has ${subject === '' ? 'no name' : 'too long a name'}`);
  }
  const person = { provider: CERTIFICATE_PROVIDER, subject, roles: nothing, groups: nothing, claims: noClaims };
  const agent = agentIn(certificate, agents);
  if (agent === undefined) return ok(person);
  if (agent.bound === 'dpop')
    return refuse('proof_missing', `agent ${agent.name} must send a token that is bound by DPoP`);
  return ok({ ...person, agent: agent.name, alone: true, actors: [subject] });
}
