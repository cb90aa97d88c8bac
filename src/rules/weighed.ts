import type { DefinitionChange } from './parts.ts';

/** What a proof makes of definitions that two policies write otherwise. */
export interface Weighed {
  /** They decide which requests pass: the policies do not allow the same. */
  readonly counted: readonly DefinitionChange[];
  /** Where requests go, and as whom: a proof compares that for each request. */
  readonly reached: readonly DefinitionChange[];
  /** They decide no request by themselves; a proof says that it has not compared them. */
  readonly other: readonly DefinitionChange[];
}

type Section = DefinitionChange['section'];

/** Keys that decide which requests pass; of a section that is not here, each key does. */
const COUNTED: Partial<Record<Section, readonly string[]>> = {
  gateway: [
    ...['clock_skew', 'inner', 'insecure_proxied_networks', 'limits', 'proof', 'public_port', 'session'],
    'trusted_proxies',
  ],
  mesh: [],
  identity: [],
  ingress: [],
  // The workload that an agent is known by.
  service: ['spiffe'],
  route: ['accept', 'audiences', 'cors', 'insecure_service_workers', 'limit', 'service_workers'],
  header: [],
};

/** Keys that decide no request, of sections whose other keys do. */
const OTHER: Partial<Record<Section, readonly string[]>> = { provider: ['signin'], host: ['tls'] };

/** Keys that say where requests go, and as whom. */
const REACHED: Partial<Record<Section, readonly string[]>> = {
  identity: ['spiffe'],
  ingress: ['address', 'ca_file', 'server_name'],
  service: ['authority', 'direct', 'endpoint', 'ingress'],
};

/** A name that one side alone has makes no difference if the rules make none. */
const isWhole = ({ section, key, before, after }: DefinitionChange): boolean =>
  section !== 'header' && key === undefined && (before === undefined || after === undefined);

function isCounted({ section, key = '' }: DefinitionChange): boolean {
  return COUNTED[section]?.includes(key) ?? OTHER[section]?.includes(key) !== true;
}

/** Weighs the definitions that changed from one policy to another. */
export function weighed(changes: readonly DefinitionChange[]): Weighed {
  const kept = changes.filter((change) => !isWhole(change));
  const isReached = ({ section, key = '' }: DefinitionChange) => REACHED[section]?.includes(key) === true;
  const counted = kept.filter(isCounted);
  const reached = kept.filter(isReached);
  return { counted, reached, other: kept.filter((change) => !counted.includes(change) && !reached.includes(change)) };
}
