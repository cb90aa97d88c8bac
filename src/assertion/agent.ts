import type { Caller } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import type { Asserted } from './verify.ts';

/** A service that may send requests to other services for the person whose request it serves. */
export interface KnownAgent {
  readonly name: string;
  /** The service itself, which must present an assertion that was made for it. */
  readonly service: string;
  /** Roles that the person keeps in its requests. */
  readonly actsFor: readonly string[];
  /** Most actors in a chain, this one included. */
  readonly hops: number;
}

/** Agents by the SPIFFE id of their service. */
export type KnownAgents = Readonly<Record<string, KnownAgent>>;

/** The agent with this SPIFFE id.
 *
 * @returns reason `actor_not_allowed` if there is none
 */
export function agentOf(spiffe: string, agents: KnownAgents): Result<KnownAgent> {
  const agent = Object.hasOwn(agents, spiffe) ? agents[spiffe] : undefined;
  return agent === undefined ? refuse('actor_not_allowed', 'no agent of the policy has this SPIFFE id') : ok(agent);
}

/** Which hosts verify certificates of clients, and by which CA. */
export interface ClientCas {
  /** Number of the CA, by host that verifies certificates of clients; absent: no host does. */
  readonly clientCas?: Readonly<Record<string, number>>;
  /** Roles that require a certificate of the client; absent: no role does. */
  readonly certificateRoles?: readonly string[];
}

/** Whether a host trusts the certificate that a caller, or one of the roles, depends on: it uses the same CA as the
 * host that verified the certificate. A host that verifies no certificates itself accepts the role too. It is the only
 * one that does if the assertion does not name the verifying host. */
export function trustsCertificate(
  { provider, roles, certificateHost }: Pick<Caller, 'provider' | 'roles' | 'certificateHost'>,
  host: string,
  { clientCas = {}, certificateRoles = [] }: ClientCas,
): boolean {
  const caOf = (name: string): number | undefined => (Object.hasOwn(clientCas, name) ? clientCas[name] : undefined);
  const isHolder = provider === CERTIFICATE_PROVIDER;
  if (!isHolder && !roles.some((role) => certificateRoles.includes(role))) return true;
  const own = caOf(host);
  if (own === undefined) return !isHolder;
  return certificateHost !== undefined && own === caOf(certificateHost);
}

/** The caller of a request in which a service presents the assertion that it received: the person, with the roles that
 * travel, and the service in front of the earlier actors.
 *
 * @param spiffe of the service's certificate
 * @param agent the one with that SPIFFE id
 * @returns reasons `audience_mismatch` if another service received the assertion, and `actor_not_allowed` if the chain
 * would be too long, or no person is behind the agent that called the service
 */
export function agentCaller(asserted: Asserted, spiffe: string, agent: KnownAgent): Result<Caller> {
  const { audience, provider, subject, roles, email, name, certificateHost } = asserted;
  if (audience !== agent.service) {
    const detail = `the assertion is for the service ${audience}, and the certificate is that of ${agent.service}`;
    return refuse('audience_mismatch', detail);
  }
  if (asserted.alone) {
    const detail = 'an agent asked for itself, so that nobody is there for whom a service could ask';
    return refuse('actor_not_allowed', detail);
  }
  const actors = [spiffe, ...asserted.actors];
  if (actors.length > agent.hops) {
    const allowed = agent.hops === 1 ? '1 hop' : `${agent.hops} hops`;
    return refuse(
      'actor_not_allowed',
      `this would be hop ${actors.length} for one person, ${agent.name} may do ${allowed}`,
    );
  }
  return ok({
    provider,
    subject,
    roles: roles.filter((role) => agent.actsFor.includes(role)),
    groups: [],
    claims: {},
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    ...(certificateHost !== undefined && { certificateHost }),
    agent: agent.name,
    actors,
  });
}
