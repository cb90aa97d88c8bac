import { ownOf } from '../base/own.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import type { Caller } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/forms/reserved-names.ts';
import { PROBE_SUBJECT } from './claims.ts';
import type { Asserted } from './verify.ts';

/** A service that may send requests to other services, for the person whose request it serves. */
export interface KnownAgent {
  readonly name: string;
  /** Name of the service. It must present an assertion that was made for this service. */
  readonly service: string;
  /** Roles that the person keeps in the agent's requests. */
  readonly actsFor: readonly string[];
  /** Maximum number of actors in a chain, this one included. */
  readonly hops: number;
}

/** Agents by the SPIFFE id of their service. */
export type KnownAgents = Readonly<Record<string, KnownAgent>>;

/** Returns the agent with this SPIFFE id; reason `actor_not_allowed` if no agent has this id. */
export function agentOf(spiffe: string, agents: KnownAgents): Result<KnownAgent> {
  const agent = ownOf(agents, spiffe);
  return agent === undefined ? refuse('actor_not_allowed', 'no agent of the policy has this SPIFFE id') : ok(agent);
}

/** The hosts that verify client certificates, and the CA of each. */
export interface ClientCas {
  /** For each host that verifies client certificates, the number of its CA; absent: no host does. */
  readonly clientCas?: Readonly<Record<string, number>>;
  /** Roles that require a client certificate; absent: no role does. */
  readonly certificateRoles?: readonly string[];
}

/** Whether a host trusts the certificate on which the caller or a role depends: the host that verified it, which the
 * assertion names, must use the same CA. A host that verifies no certificates accepts the roles, but not a caller whose
 * only credential was a certificate. */
export function trustsCertificate(
  { provider, roles, certificateHost }: Pick<Caller, 'provider' | 'roles' | 'certificateHost'>,
  host: string,
  { clientCas = {}, certificateRoles = [] }: ClientCas,
): boolean {
  const isHolder = provider === CERTIFICATE_PROVIDER;
  if (!isHolder && !roles.some((role) => certificateRoles.includes(role))) return true;
  const own = ownOf(clientCas, host);
  if (own === undefined) return !isHolder;
  return certificateHost !== undefined && own === ownOf(clientCas, certificateHost);
}

/** Returns the caller of a request in which a service presents the assertion that it received: the person, with the
 * roles of the agent's `acts_for`. The service becomes the first actor.
 * @returns reason `audience_mismatch` if the assertion was made for another service; `actor_not_allowed` if the chain
 * would be too long, or the agent that called the service acts for no person */
export function agentCaller(asserted: Asserted, spiffe: string, agent: KnownAgent): Result<Caller> {
  const { audience, provider, subject, roles, email, name, certificateHost } = asserted;
  if (audience !== agent.service) {
    const detail = `the assertion is for the service ${audience}, and the certificate is that of ${agent.service}`;
    return refuse('audience_mismatch', detail);
  }
  if (subject === PROBE_SUBJECT) return refuse('actor_not_allowed', 'the assertion is of a probe of the mesh');
  if (asserted.alone) {
    const detail = 'the request comes from an agent that acts for no person, so a service cannot act for one';
    return refuse('actor_not_allowed', detail);
  }
  const actors = [spiffe, ...asserted.actors];
  if (actors.length > agent.hops) {
    const allowed = agent.hops === 1 ? '1 hop' : `${agent.hops} hops`;
    const detail = `this would be hop ${actors.length} for one person, but ${agent.name} may do ${allowed}`;
    return refuse('actor_not_allowed', detail);
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
