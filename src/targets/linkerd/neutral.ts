import { KUBE_NEUTRAL } from '../kube-object.ts';
import type { Neutral } from '../partings.ts';

/** What of live objects changes no answer. */
export const LINKERD_NEUTRAL: readonly Neutral[] = [
  ...KUBE_NEUTRAL,
  { path: ['status'], why: 'the policy controller writes it; of routes it is read whether they count' },
  {
    path: ['spec', 'proxyProtocol'],
    values: ['unknown'],
    why: 'the default that the API server fills in: the proxy finds the protocol out',
  },
];
