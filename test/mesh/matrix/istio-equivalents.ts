import type { Equivalent } from './equivalents.ts';
import { isSameForAll } from './istio-same.ts';
import type { Alternatives } from './mutants.ts';

/** Changes to Istio's objects that no request can distinguish from what was rendered. */
export const istioEquivalents: readonly Equivalent[] = [
  { at: /^Telemetry \S+$/, reason: 'the log' },
  { at: /\/metadata\/(labels|annotations)$/, reason: 'what people and `prove` find it by; Istio does not look' },
  {
    at: /^(RequestAuthentication|PeerAuthentication|AuthorizationPolicy|VirtualService) \S+\/metadata\/name$/,
    change: /^changed$/,
    reason: 'a name that nothing else says',
  },
  { at: /\/spec\/(servers\/0\/port|http\/\d+)\/name$/, reason: 'a name in logs and statistics' },
  {
    at: /^AuthorizationPolicy \S+\/spec\/action$/,
    change: /^dropped$/,
    proves: ({ was }) => was === 'ALLOW',
    reason: 'Istio allows where no action is said',
  },
  {
    at: /\/spec\/selector$/,
    change: /^dropped$/,
    reason: 'without a selector it applies to all pods of the namespace, and allows no caller at the others',
  },
  {
    at: /^Gateway \S+\/spec\/servers\/0\/tls\/mode$/,
    change: /OPTIONAL_MUTUAL$/,
    reason: 'Envoy requires a certificate wherever names are given that it must have',
  },
  {
    // With one issuer. istio.test.ts has an ingress that verifies tokens of a second one, and needs all conditions.
    at: /^AuthorizationPolicy \S+\/spec\/rules$/,
    proves: (mutant, objects) => isSameForAll(objects, mutant),
    reason: 'the rules that are left let the same requests pass',
  },
];

/** Fields with a closed list of values. */
export const ISTIO_ALTERNATIVES: Alternatives = {
  action: ['ALLOW', 'DENY', 'AUDIT'],
  mode: ['STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET', 'SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL', 'PASSTHROUGH'],
};
