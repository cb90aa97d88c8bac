import type { Metric } from '../../health/exposition.ts';
import type { Seen } from './seen.ts';

/** The shared memory zones of the rendered configuration. */
const ZONES = [
  'keys',
  'tokens',
  'locks',
  'answers',
  'inactive',
  'active',
  'sessions',
  'renewals',
  'signins',
  'once',
  'revoked',
  'budgets',
  'addresses',
  'proofs',
  'proof_keys',
  'svids',
  'counts',
  'series',
] as const;

type Dict = NgxSharedDict<string>;

const found = (): readonly (readonly [string, Dict])[] =>
  ZONES.flatMap((zone) => {
    const dict = ngx.shared[`meshgate_${zone}`] as unknown as Dict | undefined;
    return dict === undefined ? [] : [[zone, dict]];
  });

export const zoneMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_zone_size_bytes',
    type: 'gauge',
    help: 'The size of a zone of shared memory.',
    labels: ['zone'],
    read: () => found().map(([zone, dict]) => [[zone], dict.capacity]),
  },
  {
    name: 'meshgate_zone_free_bytes',
    type: 'gauge',
    help: 'The free memory of a zone. A zone that evicts old entries (tokens, answers, active, sessions, proof_keys) may be full.',
    labels: ['zone'],
    read: () => found().map(([zone, dict]) => [[zone], dict.freeSpace()]),
  },
];
