import { identity } from './policy.ts';
import { DASHBOARD, INGRESS, type Requested, reader } from './refusals.ts';

/** A live change, and the expected output of `prove`. */
export interface Patch {
  readonly name: string;
  readonly object: readonly [namespace: string, kind: string, name: string];
  readonly patch: readonly unknown[];
  readonly says: string;
  /** The request that it names. */
  readonly witness?: Requested;
}

export const PATCHES: readonly Patch[] = [
  {
    name: 'a rule that loses its methods',
    object: ['edge', 'authorizationpolicy', 'meshgate-ingress-wiki'],
    patch: [{ op: 'remove', path: '/spec/rules/1/to/0/operation/methods' }],
    says: 'PATCH http://wiki.wiki.svc.cluster.local/rest\n',
    witness: { at: 'ingress', peer: identity('reader'), method: 'PATCH', path: '/rest', says: reader },
  },
  {
    name: 'a workload whose rule forgets the assertion',
    object: ['ops', 'authorizationpolicy', 'meshgate-workload-dashboard.44618478166d665a'],
    patch: [{ op: 'remove', path: '/spec/rules/0/when' }],
    says: 'GET /x at the workload of ops/meshgate-workload-dashboard.44618478166d665a:3000\n',
    witness: { at: 'dashboard', peer: INGRESS, authority: DASHBOARD, path: '/x', says: null },
  },
  {
    name: 'a workload that takes plain HTTP',
    object: ['wiki', 'peerauthentication', 'meshgate-pods.wiki.e19f70daacc0b6db'],
    patch: [{ op: 'replace', path: '/spec/mtls/mode', value: 'PERMISSIVE' }],
    says: 'PeerAuthentication wiki/meshgate-pods.wiki.e19f70daacc0b6db: spec.mtls.mode is "PERMISSIVE", and not "STRICT"\n',
  },
];
