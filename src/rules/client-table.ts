import type { Client, Fact, GroupsEndpoint, Policy, Provider } from '../policy/types.ts';
import { providerKind } from '../providers/index.ts';
import { record } from './record.ts';

/** A provider that is asked about tokens. */
export interface AskedProvider {
  readonly name: string;
  readonly kind: string;
  readonly issuer: string;
  readonly client: Client;
  readonly privateAddresses?: true;
  readonly introspection?: {
    /** Absent: what the discovery document says. */
    readonly endpoint?: string;
    /** Seconds. */
    readonly timeout: number;
  };
  /** Where it says who has which groups, and the scope that the gateway needs for it; `ids`: those of the policy. */
  readonly groups?: GroupsEndpoint & { readonly ids: readonly string[] };
}

/** client-policy.js: what the JavaScript that asks providers knows of the policy. It names the files of secrets. */
export interface ClientTable {
  readonly providers: Readonly<Record<string, AskedProvider>>;
  /** Unix socket of the egress server. */
  readonly egress: string;
  /** What the policy says of the age of what providers publish. */
  readonly keys: { readonly stale: number };
}

/** Whether a provider is asked about its tokens, or the people behind them. */
export const isAsked = ({ introspection, groupsEndpoint }: Provider): boolean =>
  introspection !== undefined || groupsEndpoint !== undefined;

function idsIn(fact: Fact, provider: Provider): readonly string[] {
  if ('facts' in fact) return fact.facts.flatMap((part) => idsIn(part, provider));
  if (!('provider' in fact && fact.provider !== undefined && fact.provider !== provider.name)) {
    if (fact.op === 'group') return [fact.value];
    // The claim by its own name.
    const isGroups = (fact.op === 'is' || fact.op === 'has') && fact.claim === providerKind(provider.kind)?.groups;
    if (isGroups && typeof fact.value === 'string') return [fact.value];
  }
  return [];
}

/** The groups that the roles of a policy name of a provider, each once. */
export function groupsOf({ roles }: Policy, provider: Provider): readonly string[] {
  return [...new Set(Object.values(roles).flatMap(({ fact }) => idsIn(fact, provider)))];
}

function askedProvider(policy: Policy, provider: Provider): AskedProvider {
  const { name, kind, issuer, client, introspection, groupsEndpoint, privateAddresses } = provider;
  if (client === undefined) throw new Error(`the provider ${name} is asked, and has no client`);
  const { endpoint, timeout = 0 } = introspection ?? {};
  return {
    ...{ name, kind, issuer, client },
    ...(privateAddresses && { privateAddresses }),
    ...(introspection && { introspection: { ...(endpoint !== undefined && { endpoint }), timeout } }),
    ...(groupsEndpoint && { groups: { ...groupsEndpoint, ids: groupsOf(policy, provider) } }),
  };
}

/**
 * All that has to be known to ask providers about tokens; undefined where none is asked.
 *
 * @param egress path of the egress server's unix socket
 */
export function toClientTable(policy: Policy, egress: string): ClientTable | undefined {
  const asked = Object.values(policy.providers).filter(isAsked);
  if (asked.length === 0) return undefined;
  return {
    providers: record(asked.map((provider) => [provider.name, askedProvider(policy, provider)])),
    egress,
    keys: { stale: policy.gateway.keys.stale },
  };
}
