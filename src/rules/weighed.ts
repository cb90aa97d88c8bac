import type { DefinitionChange } from './parts.ts';

/** Changed definitions, grouped by their effect on a proof. */
export interface Weighed {
  /** These definitions decide which requests pass. If they differ, the policies do not allow the same requests. */
  readonly counted: readonly DefinitionChange[];
  /** These definitions decide only the service and the identity. The proof compares both for each request. */
  readonly reached: readonly DefinitionChange[];
  /** These definitions decide no request. The proof says that it has not compared them. */
  readonly other: readonly DefinitionChange[];
}

type Section = DefinitionChange['section'];

/** The keys that decide which requests pass. If a section is not listed, all its keys decide this. */
const COUNTED: Partial<Record<Section, readonly string[]>> = {
  gateway: [
    ...['clock_skew', 'credential_header', 'inner', 'insecure_proxied_networks', 'limits', 'proof', 'public_port'],
    ...['session', 'trusted_proxies'],
  ],
  mesh: [],
  identity: [],
  ingress: [],
  // A grant decides what a file may contain, and the policy has its contents.
  team: [],
  // The SPIFFE id of the workload can identify an agent.
  service: ['spiffe'],
  header: [],
};

/** The keys that decide no request, in sections in which other keys do. */
const OTHER: Partial<Record<Section, readonly string[]>> = {
  provider: ['signin'],
  role: ['team'],
  host: ['team', 'tls'],
  route: ['ask', 'owner', 'proxy'],
};

/** The keys that decide only the service and the identity. */
const REACHED: Partial<Record<Section, readonly string[]>> = {
  identity: ['spiffe'],
  ingress: ['address', 'ca_file', 'server_name'],
  service: ['authority', 'direct', 'endpoint', 'ingress', 'ingresses', 'mesh', 'service_account'],
};

/** Whether a whole definition was added or removed. This change matters only if rules use the name. */
const isWhole = ({ section, key, before, after }: DefinitionChange): boolean =>
  section !== 'header' && key === undefined && (before === undefined || after === undefined);

const isCounted = ({ section, key = '' }: DefinitionChange): boolean =>
  COUNTED[section]?.includes(key) ?? OTHER[section]?.includes(key) !== true;

/** Groups the changed definitions by their effect on a proof. */
export function weighed(changes: readonly DefinitionChange[]): Weighed {
  const kept = changes.filter((change) => !isWhole(change));
  const isReached = ({ section, key = '' }: DefinitionChange) => REACHED[section]?.includes(key) === true;
  const counted = kept.filter(isCounted);
  const reached = kept.filter(isReached);
  return { counted, reached, other: kept.filter((change) => !counted.includes(change) && !reached.includes(change)) };
}
