import { isLeaf, providerOf, readsOf } from '../policy/facts/describe.ts';
import { everyFact } from '../policy/facts/walk.ts';
import type { Client, GroupsEndpoint, Policy, Provider } from '../policy/types.ts';
import { providerKind } from '../providers/index.ts';
import { withoutPrototype } from './without-prototype.ts';

/** A provider that the gateway asks about tokens or groups. */
export interface AskedProvider {
  readonly name: string;
  readonly kind: string;
  readonly issuer: string;
  readonly client: Client;
  readonly privateAddresses?: true;
  readonly introspection?: {
    /** The URL; absent: the discovery document contains it. */
    readonly endpoint?: string;
    /** In seconds. */
    readonly timeout: number;
  };
  /** The endpoint for the groups of people, and the scope that it requires. `ids` are the groups in the policy. */
  readonly groups?: GroupsEndpoint & { readonly ids: readonly string[] };
}

/** client-policy.js: the part of the policy for the JavaScript that asks providers. It contains the paths of secret
 * files. */
export interface ClientTable {
  readonly providers: Readonly<Record<string, AskedProvider>>;
  /** The Unix socket of the egress server. */
  readonly egress: string;
  /** The maximum age of provider documents, from the policy. */
  readonly keys: { readonly stale: number };
}

/** Whether the gateway asks a provider about its tokens, or about the groups of people. */
export const isAsked = ({ introspection, groupsEndpoint }: Provider): boolean =>
  introspection !== undefined || groupsEndpoint !== undefined;

/** The groups of a provider that the policy's roles name, each once. A role can name them with `group` or with the
 * claim. */
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
 * The data with which the gateway asks providers; undefined if it asks none.
 *
 * @param egress the path of the egress server's unix socket
 */
export function toClientTable(policy: Policy, egress: string): ClientTable | undefined {
  const asked = Object.values(policy.providers).filter(isAsked);
  if (asked.length === 0) return undefined;
  return {
    providers: withoutPrototype(asked.map((provider) => [provider.name, askedProvider(policy, provider)])),
    egress,
    keys: { stale: policy.gateway.keys.stale },
  };
}
