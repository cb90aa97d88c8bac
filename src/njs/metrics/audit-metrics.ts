import { disk } from '../../audit/seal/disk.ts';
import type { Metric, Sample } from '../../health/exposition.ts';
import { witnessAges } from '../health/witness-state.ts';
import type { Seen } from './seen.ts';

/** status.json in the folder of the transparency log, as the sealer writes it. */
interface Status {
  /** Seconds since the epoch, or an ISO time. */
  readonly time: number | string;
  readonly size: number;
  readonly lag_s: number;
  readonly lag_bytes: number;
  readonly error?: string;
  /** Lines that nginx did not write; absent if an earlier build seals. */
  readonly foreign?: number;
  /** When the signing key was made; absent if an earlier build seals. */
  readonly key_since?: number;
}

/** Returns a number of the sealer's status.
 * @param missing the number if the status cannot be read; absent: there is no sample then */
function ofStatus({ config }: Seen, value: (status: Status) => number, missing?: number): readonly Sample[] {
  if (config.audit === undefined) return [];
  try {
    const read = value(JSON.parse(Buffer.from(disk.load(`${config.audit}/status.json`)).toString()) as Status);
    return Number.isNaN(read) ? [] : [[[], read]];
  } catch {
    return missing === undefined ? [] : [[[], missing]];
  }
}

const secondsOf = (time: number | string): number => (typeof time === 'number' ? time : Date.parse(time) / 1000);

export const auditMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_audit_sealed_entries',
    type: 'gauge',
    help: 'The number of entries in the transparency log.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ size }) => size),
  },
  {
    name: 'meshgate_audit_lag_seconds',
    type: 'gauge',
    help: 'The age of the oldest line that is not sealed yet.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ lag_s }) => lag_s),
  },
  {
    name: 'meshgate_audit_lag_bytes',
    type: 'gauge',
    help: 'The number of bytes in the log that are not sealed yet.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ lag_bytes }) => lag_bytes),
  },
  {
    name: 'meshgate_audit_status_timestamp_seconds',
    type: 'gauge',
    // So the alert for a sealer that has stopped is also one for a sealer that was never started.
    help: 'When the sealer last wrote its status; 0 if there is no status, because no sealer has run.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ time }) => secondsOf(time), 0),
  },
  {
    name: 'meshgate_audit_error',
    type: 'gauge',
    help: '1 if the sealer cannot seal; its log says why.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ error }) => (error === undefined ? 0 : 1)),
  },
  {
    name: 'meshgate_audit_foreign_lines_total',
    type: 'counter',
    help: 'The lines in the log that nginx did not write, since the sealer started.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ foreign = Number.NaN }) => foreign),
  },
  {
    name: 'meshgate_audit_key_age_seconds',
    type: 'gauge',
    help: 'The age of the signing key. Without a witness, the key changes each hour.',
    labels: [],
    read: (seen) => ofStatus(seen, ({ key_since: since = Number.NaN }) => seen.now - since),
  },
];

export const witnessMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_witness_age_seconds',
    type: 'gauge',
    help: 'The age of the newest cosignature of a witness; +Inf before the first one.',
    labels: ['witness'],
    read: ({ config, now }) => witnessAges(config, now).map(([name, age]) => [[name], age]),
  },
];
