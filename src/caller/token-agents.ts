import { acceptSameIssuer, type Issued } from '../token/issuer.ts';
import type { TokenProvider } from '../token/types.ts';
import type { TokenAgent } from './types.ts';

/** The part of an agent that says how tokens name the agent. */
type Matching = Pick<TokenAgent, 'match'>;

/** The part of a provider that says which tokens it issues. */
type Issuing = Issued & Pick<TokenProvider, 'name' | 'kind'>;

const providerOf = ({ match }: Matching): string | undefined =>
  match.kind === 'claim' ? match.fact.provider : match.provider;

/** Returns the agents that send tokens of a provider, in the policy's order: its own, then those of other providers
 * with the same issuer. One OAuth client can get tokens for all these providers, and without this list such an agent
 * would count as a person. A workload has the same SPIFFE id in every JWT-SVID, so its provider does not matter. */
export function agentsOf<A extends Matching>(
  agents: readonly A[],
  provider: Issuing,
  providers: Readonly<Record<string, Issuing>>,
): readonly A[] {
  const isOwn = (agent: A): boolean => (providerOf(agent) ?? provider.name) === provider.name;
  const isOfIssuer = (agent: A): boolean => {
    const other = providers[providerOf(agent) as string];
    return other !== undefined && acceptSameIssuer(other, provider);
  };
  const isWorkload = ({ match }: A): boolean => match.kind === 'spiffe' && provider.kind === 'spiffe';
  const others = agents.filter((agent) => !isOwn(agent) && (isOfIssuer(agent) || isWorkload(agent)));
  return [...agents.filter(isOwn), ...others];
}
