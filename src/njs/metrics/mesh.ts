import type { Metric, Sample } from '../../health/exposition.ts';
import type { ProbeState } from '../../health/mesh-probe.ts';
import { probeStates } from '../health/mesh-probe.ts';
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
