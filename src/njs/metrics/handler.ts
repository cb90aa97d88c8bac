import { exposition, type Metric, type Sample } from '../../health/exposition.ts';
import type { ProbeState } from '../../health/mesh-probe.ts';
import type { Found } from '../../health/svid.ts';
import type { HealthConfig } from '../../health/types.ts';
import { foundOf } from '../health/found-files.ts';
import { probeStates } from '../health/probe-mesh.ts';
import { readinessNow } from '../health/readyz.ts';
import { allCounts, forgetEarlier } from '../shared/counts.ts';
import { svidsDict } from '../shared/dicts.ts';
import { auditMetrics, witnessMetrics } from './audit-metrics.ts';
import { counterMetrics } from './counters.ts';
import { partMetrics } from './provider-parts.ts';
import type { Seen } from './seen.ts';

const labels = ['probe', 'mesh', 'ingress', 'service', 'layer', 'identity', 'object', 'rule'] as const;

/** Returns a sample of each probe, if it has a value. */
const ofProbes = ({ config: { probes }, now }: Seen, value: (state: ProbeState) => number | undefined) =>
  probes === undefined
    ? []
    : probeStates(probes, now).flatMap((state): readonly Sample[] => {
        const found = value(state);
        return found === undefined ? [] : [[labels.map((label) => state.probe[label]), found]];
      });

/** The results of the probes of the mesh. */
export const meshMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_mesh_enforcing',
    type: 'gauge',
    help: '1 if the object denied a request that it must deny, 0 if it let the request pass. Only with gateway.mesh_probe.',
    labels,
    read: (seen) => ofProbes(seen, ({ state }) => (state === 'unknown' ? undefined : Number(state === 'closed'))),
  },
  {
    name: 'meshgate_mesh_probe_failed',
    type: 'gauge',
    help: '1 if the last probe does not tell whether the object denies the request.',
    labels,
    read: (seen) => ofProbes(seen, ({ state }) => Number(state === 'unknown')),
  },
];

/** When certificates expire, by what the job has found in their files. */
const expiryMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_svid_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the SVID of an identity expires.',
    labels: ['identity'],
    read: ({ config }) =>
      config.identities.flatMap(({ name }): readonly Sample[] => {
        const text = svidsDict().get(name);
        const svid = text === undefined ? undefined : (JSON.parse(text) as Found).svid;
        return svid === undefined ? [] : [[[name], svid.notAfter]];
      }),
  },
  {
    name: 'meshgate_file_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When a certificate, or the next key in a file of keys, expires.',
    labels: ['part', 'name'],
    read: ({ config }) =>
      config.files.flatMap((file): readonly Sample[] => {
        const { kind, name } = file;
        const state = foundOf(file);
        const at = state?.valid?.notAfter ?? state?.expires;
        const part = kind === 'listener' ? 'certificates' : kind.startsWith('client_') ? 'clients' : kind;
        return at === undefined ? [] : [[[part, name], at]];
      }),
  },
];

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

const zoneMetrics: readonly Metric<Seen>[] = [
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

/** All metrics of `/.meshgate/metrics`, in this order. A test compares docs/metrics.md with this table. */
export const metrics: readonly Metric<Seen>[] = [
  ...counterMetrics,
  ...partMetrics,
  ...expiryMetrics,
  ...zoneMetrics,
  ...auditMetrics,
  ...witnessMetrics,
  ...meshMetrics,
];

/** Makes the handler of `/.meshgate/metrics`. */
export function metricsHandler(config: HealthConfig): (r: NginxHTTPRequest) => Promise<void> {
  return async (r) => {
    const ready = await readinessNow(config);
    forgetEarlier(config.policy);
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(200, exposition(metrics, { config, ready, counts: await allCounts(), now: Date.now() / 1000 }));
  };
}
