import type { DefinitionChange } from './parts.ts';

/** How a proof treats definitions that differ between two policies. */
export interface Weighed {
  /** They decide which requests pass, so the policies do not allow the same. */
  readonly counted: readonly DefinitionChange[];
  /** They decide the destination and the identity, which a proof compares for each request. */
  readonly reached: readonly DefinitionChange[];
  /** They decide no request by themselves. A proof says that it has not compared them. */
  readonly other: readonly DefinitionChange[];
}

type Section = DefinitionChange['section'];

/** Keys that decide which requests pass. In sections that are not listed, each key does. */
const COUNTED: Partial<Record<Section, readonly string[]>> = {
  gateway: [
    ...['clock_skew', 'inner', 'insecure_proxied_networks', 'limits', 'proof', 'public_port', 'session'],
    'trusted_proxies',
  ],
  mesh: [],
  identity: [],
  ingress: [],
  // The SPIFFE id of the workload, which identifies an agent.
  service: ['spiffe'],
  header: [],
};

/** Keys that decide no request, of sections whose other keys do. */
const OTHER: Partial<Record<Section, readonly string[]>> = {
  provider: ['signin'],
  host: ['tls'],
  route: ['ask', 'owner', 'proxy'],
};

/** Keys that decide the destination and the identity. */
const REACHED: Partial<Record<Section, readonly string[]>> = {
  identity: ['spiffe'],
  ingress: ['address', 'ca_file', 'server_name'],
  service: ['authority', 'direct', 'endpoint', 'ingress'],
};

/** A name that only one side has makes no difference if the rules make none. */
const isWhole = ({ section, key, before, after }: DefinitionChange): boolean =>
  section !== 'header' && key === undefined && (before === undefined || after === undefined);

function isCounted({ section, key = '' }: DefinitionChange): boolean {
  return COUNTED[section]?.includes(key) ?? OTHER[section]?.includes(key) !== true;
}

/** Sorts the changed definitions by their effect on a proof. */
export function weighed(changes: readonly DefinitionChange[]): Weighed {
  const kept = changes.filter((change) => !isWhole(change));
  const isReached = ({ section, key = '' }: DefinitionChange) => REACHED[section]?.includes(key) === true;
  const counted = kept.filter(isCounted);
  const reached = kept.filter(isReached);
  return { counted, reached, other: kept.filter((change) => !counted.includes(change) && !reached.includes(change)) };
}
