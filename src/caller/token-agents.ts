import type { AgentMatch } from '../policy/types.ts';
import { type Issued, shareIssuer } from '../token/issuer.ts';

/** The part of an agent that says how tokens name it. */
interface Matching {
  readonly match: Exclude<AgentMatch, { kind: 'service' }>;
}

/** The part of a provider that says which tokens it issues. */
interface Issuing extends Issued {
  readonly name: string;
  readonly kind: string;
}

const providerOf = ({ match }: Matching): string | undefined =>
  match.kind === 'claim' ? match.fact.provider : match.provider;

/** The agents that send a provider's tokens, in the policy's order: its own, and after them those of other providers
 * with the same issuer. The same client fetches tokens for either, and would count as a person with those of the other
 * provider. A workload has its SPIFFE id in every JWT-SVID, whoever issued it. */
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
