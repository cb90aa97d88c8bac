import type { Client, GroupsEndpoint, IntrospectionPolicy, Policy, Provider } from '../../policy/checked/types.ts';
import { isLeaf, providerOf, readsOf } from '../../policy/facts/describe.ts';
import { everyFact } from '../../policy/facts/walk.ts';
import { providerKind } from '../../providers/index.ts';
import { pick, withoutPrototype } from '../without-prototype.ts';

export interface QueriedProvider extends Pick<Provider, 'name' | 'kind' | 'issuer' | 'privateAddresses'> {
  readonly client: Client;
  readonly introspection?: Pick<IntrospectionPolicy, 'endpoint' | 'timeout'>;
  /** The endpoint for the groups of people. `ids` are the groups in the policy. */
  readonly groups?: GroupsEndpoint & { readonly ids: readonly string[] };
}

/** The content of client-policy.js: the data with which JavaScript asks providers, and the paths of secret files. */
export interface ClientTable {
  readonly providers: Readonly<Record<string, QueriedProvider>>;
  readonly egress: string;
  readonly keys: { readonly stale: number };
}

/** Whether the gateway asks a provider about its tokens, or about the groups of people. */
export const isQueried = ({ introspection, groupsEndpoint }: Provider): boolean =>
  introspection !== undefined || groupsEndpoint !== undefined;

/** The groups of a provider that roles name, with `group` or with the claim. */
export function groupsOf({ roles }: Policy, { name, kind }: Provider): readonly string[] {
  const of = providerKind(kind);
  if (of === undefined) return [];
  const facts = Object.values(roles).flatMap(({ fact }) => everyFact(fact).filter(isLeaf));
  const reads = facts.filter((fact) => (providerOf(fact) ?? name) === name).flatMap((fact) => readsOf(fact, of));
  const groups = reads.flatMap(({ path, value }) => (path === of.groups && typeof value === 'string' ? value : []));
  return [...new Set(groups)];
}

function queriedProvider(policy: Policy, provider: Provider): QueriedProvider {
  const { name, client, introspection, groupsEndpoint } = provider;
  if (client === undefined) throw new Error(`the gateway must ask the provider ${name}, which has no client`);
  return {
    ...{ ...pick(provider, ['name', 'kind', 'issuer']), client, ...pick(provider, ['privateAddresses']) },
    ...(introspection && { introspection: pick(introspection, ['endpoint', 'timeout']) }),
    ...(groupsEndpoint && { groups: { ...groupsEndpoint, ids: groupsOf(policy, provider) } }),
  };
}

/** Returns the content; undefined if the gateway asks no provider. `egress` is the path of the egress server's
 * socket. */
export function toClientTable(policy: Policy, egress: string): ClientTable | undefined {
  const queried = Object.values(policy.providers).filter(isQueried);
  if (queried.length === 0) return undefined;
  return {
    providers: withoutPrototype(queried.map((provider) => [provider.name, queriedProvider(policy, provider)])),
    egress,
    keys: { stale: policy.gateway.keys.stale },
  };
}
