import type { AgentMatch } from '../policy/types.ts';
import { type Issued, shareIssuer } from '../token/issuer.ts';

/** An agent that comes with tokens, as far as it is told whose. */
interface Matching {
  readonly match: Exclude<AgentMatch, { kind: 'service' }>;
}

/** A provider, as far as it is told whose tokens it takes. */
interface Issuing extends Issued {
  readonly name: string;
  readonly kind: string;
}

const providerOf = ({ match }: Matching): string | undefined =>
  match.kind === 'claim' ? match.fact.provider : match.provider;

/**
 * The agents that come with a provider's tokens, in the policy's order: its own, and after them those of other providers
 * of its issuer. The same client fetches tokens for either, and would be a person with those that are not its agent's.
 * A workload has its SPIFFE id whoever issues the JWT-SVID.
 */
export function agentsOf<A extends Matching>(
  agents: readonly A[],
  provider: Issuing,
  providers: Readonly<Record<string, Issuing>>,
): readonly A[] {
  const isOwn = (agent: A): boolean => (providerOf(agent) ?? provider.name) === provider.name;
  const isOfIssuer = (agent: A): boolean => {
    const other = providers[providerOf(agent) as string];
    return other !== undefined && shareIssuer(other, provider);
  };
  const isWorkload = ({ match }: A): boolean => match.kind === 'spiffe' && provider.kind === 'spiffe';
  const others = agents.filter((agent) => !isOwn(agent) && (isOfIssuer(agent) || isWorkload(agent)));
  return [...agents.filter(isOwn), ...others];
}
