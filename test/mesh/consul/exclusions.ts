import type { Alternatives, Exclusion } from '../matrix/mutants.ts';

/** Parts of Consul's entries that are not policy. */
export const CONSUL_EXCLUSIONS: readonly Exclusion[] = [
  { at: /\/Meta$/, reason: 'a mark by which entries are found' },
  { at: /\/CacheConfig$/, reason: 'Consul does not give it to proxies' },
  { at: /\/ClockSkewSeconds$/, reason: 'Consul does not give it to proxies' },
];

/** Fields with a closed list of values. */
export const CONSUL_ALTERNATIVES: Alternatives = {
  Action: ['allow', 'deny'],
  MutualTLSMode: ['strict', 'permissive', ''],
  Protocol: ['http', 'tcp'],
  Methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
};
