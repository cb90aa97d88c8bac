import type { Alternatives, Equivalent, Exclusion } from '../matrix/mutants.ts';

/** What of Linkerd's objects is no policy. */
export const LINKERD_EXCLUSIONS: readonly Exclusion[] = [
  { at: /\/metadata\/labels$/, reason: 'a label by which objects are found' },
];

/** What changes nothing that any request could see. */
export const LINKERD_EQUIVALENTS: readonly Equivalent[] = [
  {
    at: /^(AuthorizationPolicy \S+|HTTPRoute \S+[.]refuse(\.odd-paths)?(\.\d+)?)\/metadata\/name$/,
    change: /^changed$/,
    reason: 'a name that nothing refers to',
  },
];

/** Fields with a closed list of values. */
export const LINKERD_ALTERNATIVES: Alternatives = {
  accessPolicy: [
    ...['all-unauthenticated', 'all-authenticated', 'cluster-authenticated', 'cluster-unauthenticated'],
    ...['deny', 'audit'],
  ],
  type: ['Exact', 'PathPrefix', 'RegularExpression'],
  method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'],
  kind: ['Server', 'HTTPRoute', 'AuthorizationPolicy', 'MeshTLSAuthentication', 'Namespace', 'ServiceAccount'],
};
