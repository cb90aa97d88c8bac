import type { Metric } from '../../health/exposition.ts';
import { witnessAges } from '../health/witnesses.ts';
import type { Seen } from './seen.ts';

export const witnessMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_witness_age_seconds',
    type: 'gauge',
    help: 'The age of the newest cosignature of a witness; +Inf before the first one.',
    labels: ['witness'],
    read: ({ watched, now }) => witnessAges(watched, now).map(([name, age]) => [[name], age]),
  },
];
