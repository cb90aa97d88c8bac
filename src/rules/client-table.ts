import { isLeaf, providerOf, readsOf } from '../policy/facts/describe.ts';
import { everyFact } from '../policy/facts/walk.ts';
import type { Client, GroupsEndpoint, Policy, Provider } from '../policy/types.ts';
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

/** The groups that the roles of a policy name of a provider, each once; also by the own name of their claim. */
export function groupsOf({ roles }: Policy, { name, kind }: Provider): readonly string[] {
  const of = providerKind(kind);
  if (of === undefined) return [];
  const facts = Object.values(roles).flatMap(({ fact }) => everyFact(fact).filter(isLeaf));
  const reads = facts.filter((fact) => (providerOf(fact) ?? name) === name).flatMap((fact) => readsOf(fact, of));
  return [
    ...new Set(reads.flatMap(({ path, value }) => (path === of.groups && typeof value === 'string' ? value : []))),
  ];
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
