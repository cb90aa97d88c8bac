import type { Caller } from '../caller/types.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import type { Asserted } from './verify.ts';

/** A service that may ask for the person whose request it serves. */
export interface KnownAgent {
  readonly name: string;
  /** The service that it is, and whose assertion it has to present. */
  readonly service: string;
  /** Roles that may travel from the person behind it. */
  readonly actsFor: readonly string[];
  /** Longest chain of actors, this one included. */
  readonly hops: number;
}

/** Agents by the SPIFFE id of their service. */
export type KnownAgents = Readonly<Record<string, KnownAgent>>;

/**
 * The agent with this SPIFFE id.
 *
 * @returns reason `actor_not_allowed` where there is none
 */
export function agentOf(spiffe: string, agents: KnownAgents): Result<KnownAgent> {
  const agent = Object.hasOwn(agents, spiffe) ? agents[spiffe] : undefined;
  return agent === undefined ? refuse('actor_not_allowed', 'no agent of the policy has this SPIFFE id') : ok(agent);
}

/** What is known of the CAs that hosts verify clients by. */
export interface ClientCas {
  /** By host that verifies certificates of clients, the number of its CA; absent: none does. */
  readonly clientCas?: Readonly<Record<string, number>>;
  /** Roles that rest on a certificate of the client; absent: none does. */
  readonly certificateRoles?: readonly string[];
}

/**
 * Whether a host trusts the certificate that a caller, or a role of theirs, rests on: it verifies by the same CA as the
 * host that the certificate was shown to. A role counts also at a host that verifies no certificates itself, and there
 * alone where the assertion does not say which host that was.
 */
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

/**
 * Who asks where a service presents the assertion that it received: the person, with the roles that travel, and the
 * service before whoever acted already.
 *
 * @param spiffe of the service's certificate
 * @param agent the one with that SPIFFE id
 * @returns reasons `audience_mismatch`, where another service received the assertion, and `actor_not_allowed`, where the
 * chain would be too long, or nobody is behind the agent that asked the service
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
