import type { Metric, Sample } from '../../health/exposition.ts';
import { partsOf } from '../../health/readiness.ts';
import type { Part } from '../../health/types.ts';
import type { Seen } from './seen.ts';

/** Returns a number of each provider's part, if the part has it. */
const ofProviders = ({ ready }: Seen, value: (part: Part) => number | undefined): readonly Sample[] =>
  Object.entries(ready.providers).flatMap(([provider, part]): readonly Sample[] => {
    const found = value(part);
    return found === undefined ? [] : [[[provider], found]];
  });

const single = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [[[], value]]);

/** What readyz says, as metrics. */
export const partMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_ready',
    type: 'gauge',
    help: '1 if no part has failed, as readyz says.',
    labels: [],
    read: ({ ready }) => [[[], ready.ready ? 1 : 0]],
  },
  {
    name: 'meshgate_policy_info',
    type: 'gauge',
    help: 'The digest of the policy that the gateway has loaded; always 1.',
    labels: ['digest'],
    read: ({ ready }) => [[[ready.policy], 1]],
  },
  {
    name: 'meshgate_part_ok',
    type: 'gauge',
    help: '1 if a part of readyz works without a problem.',
    labels: ['part', 'name'],
    read: ({ ready }) => partsOf(ready).map(([kind, name, { state }]) => [[kind, name], state === 'ok' ? 1 : 0]),
  },
  {
    name: 'meshgate_part_problem',
    type: 'gauge',
    help: 'The problem of a part of readyz, with its state (warning or failed) and its reason; always 1.',
    labels: ['part', 'name', 'state', 'reason'],
    read: ({ ready }) =>
      partsOf(ready).flatMap(([kind, name, { state, reason = '' }]): readonly Sample[] =>
        state === 'ok' ? [] : [[[kind, name, state, reason], 1]],
      ),
  },
  {
    name: 'meshgate_provider_keys',
    type: 'gauge',
    help: 'The number of keys of a provider that the gateway can use.',
    labels: ['provider'],
    read: (seen) => ofProviders(seen, ({ keys }) => keys),
  },
  {
    name: 'meshgate_provider_keys_age_seconds',
    type: 'gauge',
    help: 'The time since the gateway fetched the keys of a provider.',
    labels: ['provider'],
    read: (seen) => ofProviders(seen, ({ age }) => age),
  },
  {
    name: 'meshgate_provider_keys_stale_seconds',
    type: 'gauge',
    help: 'The age at which the gateway no longer uses the keys of a provider: gateway.keys.stale.',
    labels: [],
    read: ({ config }) => [[[], config.stale]],
  },
  {
    name: 'meshgate_revocations_lag_seconds',
    type: 'gauge',
    help: 'The time since the gateway last knew all revocations of other replicas. Only with gateway.store.',
    labels: [],
    read: ({ ready }) => single(ready.revocations?.age),
  },
];
