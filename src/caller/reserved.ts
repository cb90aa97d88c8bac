import { CERTIFICATE_PROVIDER, NOBODY_PROVIDER } from '../policy/reserved.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import type { ClientCertificate } from '../token/client-certificate.ts';
import { isTooLong } from './encode.ts';
import type { Caller, CallerTable, TokenAgent } from './types.ts';

/** Prefix of subjects that are the gateway's own. */
export const OWN = 'meshgate:';

/** Prefixes of the subjects of certificates. */
const OF_CERTIFICATES = ['spiffe://', 'dns:', 'x509:'] as const;

const nothing = Object.freeze([]);
const noClaims = Object.freeze({});

/** An anonymous caller to whom the request itself gives a role. No token has this subject. */
export const NOBODY: Caller = Object.freeze({
  provider: NOBODY_PROVIDER,
  subject: `${OWN}nobody`,
  roles: nothing,
  groups: nothing,
  claims: noClaims,
  nobody: true,
});

/** Whether a subject is reserved for callers without a token. A JWT-SVID's is a SPIFFE id too, of the same workload.
 *
 * @param kind of the provider
 */
export function isReserved(subject: string, kind: string, { certificates }: CallerTable): boolean {
  if (subject.startsWith(OWN)) return true;
  return certificates === true && kind !== 'spiffe' && OF_CERTIFICATES.some((begin) => subject.startsWith(begin));
}

export function certificateSubject({
  spiffe,
  dns: [name],
  subject,
}: Pick<ClientCertificate, 'spiffe' | 'dns' | 'subject'>): string {
  if (spiffe !== undefined) return spiffe;
  if (name !== undefined) return `dns:${name}`;
  return subject === '' ? '' : `x509:${subject}`;
}

/** The agent whose SPIFFE id a certificate has: a workload is the same agent with a token and with a certificate. */
function agentIn({ spiffe }: ClientCertificate, agents: readonly TokenAgent[]): TokenAgent | undefined {
  if (spiffe === undefined) return undefined;
  return agents.find(({ match }) => match.kind === 'spiffe' && match.spiffe === spiffe);
}

/** The caller of a certificate alone: its SPIFFE id, else its first DNS name, else its subject. Each request adds the
 * roles. If the SPIFFE id is an agent's, the caller is that agent, alone.
 *
 * @param agents those that send tokens
 * @returns reasons `proof_invalid` if it has no name, or one too long for a header, and `proof_missing` if it is that
 * of an agent that must use DPoP
 */
export function certificateCaller(certificate: ClientCertificate, agents: readonly TokenAgent[] = []): Result<Caller> {
  const subject = certificateSubject(certificate);
  if (subject === '' || isTooLong(subject)) {
    return refuse('proof_invalid', `the client certificate has ${subject === '' ? 'no name' : 'too long a name'}`);
  }
  const person = { provider: CERTIFICATE_PROVIDER, subject, roles: nothing, groups: nothing, claims: noClaims };
  const agent = agentIn(certificate, agents);
  if (agent === undefined) return ok(person);
  if (agent.bound === 'dpop')
    return refuse('proof_missing', `agent ${agent.name} has to come with a token bound by DPoP`);
  return ok({ ...person, agent: agent.name, alone: true, actors: [subject] });
}
