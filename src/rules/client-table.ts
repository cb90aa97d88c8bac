import type { Client, Policy, Provider } from '../policy/types.ts';
import { record } from './record.ts';

/** A provider that is asked about tokens. */
export interface AskedProvider {
  readonly name: string;
  readonly kind: string;
  readonly issuer: string;
  readonly client: Client;
  readonly introspection?: {
    /** Absent: what the discovery document says. */
    readonly endpoint?: string;
    /** Seconds. */
    readonly timeout: number;
  };
}

/** client-policy.js: what the JavaScript that asks providers knows of the policy. It names the files of secrets. */
export interface ClientTable {
  readonly providers: Readonly<Record<string, AskedProvider>>;
  /** Unix socket of the egress server. */
  readonly egress: string;
  /** What the policy says of the age of what providers publish. */
  readonly keys: { readonly stale: number };
}

/** Whether a provider is asked about its tokens. */
export const isAsked = ({ introspection }: Provider): boolean => introspection !== undefined;

function askedProvider({ name, kind, issuer, client, introspection }: Provider): AskedProvider {
  if (client === undefined) throw new Error(`the provider ${name} is asked, and has no client`);
  if (introspection === undefined) return { name, kind, issuer, client };
  const { endpoint, timeout } = introspection;
  return { name, kind, issuer, client, introspection: { ...(endpoint !== undefined && { endpoint }), timeout } };
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
    providers: record(asked.map((provider) => [provider.name, askedProvider(provider)])),
    egress,
    keys: { stale: policy.gateway.keys.stale },
  };
}
