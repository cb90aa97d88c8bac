import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { Emitted, MeshTarget } from '../types.ts';
import { documents } from '../yaml.ts';
import { bootstrap } from './bootstrap.ts';
import { covers, gapsOf } from './covers.ts';
import { driftOf } from './drift.ts';
import { missing } from './missing.ts';
import { projection, readEnvoy } from './read.ts';

/**
 * Renders the rules for Envoy as the mesh's ingress: envoy.yaml, complete with listener, mTLS and clusters.
 *
 * @returns no file where the policy says too little, and a gap that says what
 */
export function renderEnvoy(policy: Policy, rules: readonly Rule[]): Emitted {
  const own = policy.mesh?.ingress.own;
  const lack = missing(policy, rules);
  if (own === undefined || lack !== undefined) return { files: {}, gaps: [{ part: 'mesh', text: lack ?? '' }] };
  return { files: { 'envoy.yaml': documents([bootstrap(policy, rules, own)]) }, gaps: gapsOf(policy, rules) };
}

export const envoy: MeshTarget = {
  name: 'envoy',
  takesJwks: false,
  emit: renderEnvoy,
  covers,
  read: readEnvoy,
  project: projection,
  drift: driftOf,
};
