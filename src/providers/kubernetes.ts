import { deepFreeze } from './freeze.ts';
import type { ClaimHelp, ProviderKind } from './types.ts';

/**
 * Kubernetes, one cluster: the token of a service account, `sub` is `system:serviceaccount:NAMESPACE:NAME`, and what it is
 * bound to is in `kubernetes.io`.
 */
export const kubernetes: ProviderKind = deepFreeze({
  name: 'kubernetes',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  refusedTypes: [],
  wants: 'a service account’s token, projected for this audience',
});

/** What to do there, by claim. */
export const kubernetesHelp: ClaimHelp = /* @__PURE__ */ deepFreeze({
  aud: 'in the pod: a projected volume with serviceAccountToken and this audience, or kubectl create token --audience',
  exp: 'the token of a Secret never ends: project one (serviceAccountToken), or use kubectl create token',
  'kubernetes.io.pod': 'only a token that is projected into a pod has it',
  'kubernetes.io.node': 'only tokens of Kubernetes 1.30 and newer, projected into a pod, have it',
});
