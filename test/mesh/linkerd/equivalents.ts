import type { Equivalent } from '../matrix/equivalents.ts';
import type { Alternatives } from '../matrix/mutants.ts';
import type { Rendered } from '../matrix/types.ts';
import { clusterWith } from './ask.ts';
import { letTheSamePass } from './same.ts';

/** All fields of objects that are evaluated. */
function textOf(objects: readonly Rendered[]): string {
  const { authentications, networks, ...rest } = clusterWith(objects.map(({ value }) => value));
  return JSON.stringify([rest, [...authentications], [...networks]]);
}

/** Changes that affect no request. */
export const LINKERD_EQUIVALENTS: readonly Equivalent[] = [
  { at: /\/metadata\/labels$/, reason: 'a label by which objects are found' },
  {
    at: /^(AuthorizationPolicy \S+|HTTPRoute \S+[.]refuse(\.odd-paths)?(\.\d+)?)\/metadata\/name$/,
    change: /^changed$/,
    reason: 'a name that nothing refers to',
  },
  {
    change: /dropped$/,
    proves: ({ version }, objects) => textOf(version) === textOf(objects),
    reason: 'the API server fills in the same value',
  },
  {
    at: /^HTTPRoute [^/]+\/[^/]+\/spec$/,
    proves: ({ version }, objects) => letTheSamePass(objects, version),
    reason: 'the routes that are left let the same requests pass',
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
