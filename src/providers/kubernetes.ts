import type { AboutKind, ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/** Kubernetes, one cluster: the token of a service account. `kubernetes.io` says to which object it is bound. */
export const kind: ProviderKind = {
  name: 'kubernetes',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  refusedTypes: [],
  wants: 'a service account’s token, projected for this audience',
};

export const issuers: Issuers = {
  looksLike: [
    /^https:\/\/kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9.-]+)?)?)?(?::\d+)?\/?$/,
    /^https:\/\/(?:oidc\.eks\.[a-z0-9.-]+|container\.googleapis\.com\/v1\/projects)\//,
    /^https:\/\/(?:oidc\.prod-aks\.azure\.com|[a-z0-9-]+\.oic\.prod-aks\.azure\.com)\//,
  ],
};

export const mistaken: Mistaken = {
  issuer: /^kubernetes\/serviceaccount$/,
  help: 'this token is stored in a Secret and never expires: project a token, or use kubectl create token',
};

export const help: ClaimHelp = {
  aud: 'in the pod: a projected volume with serviceAccountToken and this audience, or kubectl create token --audience',
  exp: 'a token that is stored in a Secret never expires: project a token (serviceAccountToken), or use kubectl create token',
  'kubernetes.io.pod': 'only a token that is projected into a pod has this claim',
  'kubernetes.io.node': 'only tokens of Kubernetes 1.30 and newer, projected into a pod, have this claim',
};

export const about: AboutKind = {
  title: 'a Kubernetes cluster',
  registering: ['People cannot sign in with a cluster: its workloads send tokens of their service accounts.'],
};
