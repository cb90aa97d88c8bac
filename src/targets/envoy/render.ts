import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { meshRules } from '../indistinct.ts';
import type { Emitted, MeshTarget } from '../types.ts';
import { documents } from '../yaml.ts';
import { bootstrap } from './bootstrap.ts';
import { covers, gapsOf } from './covers.ts';
import { driftOf } from './drift.ts';
import { projection, readEnvoy } from './read.ts';

/** Why a policy says too little for Envoy; undefined if it says enough. */
function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  if (policy.mesh === undefined) return 'the policy has no mesh, so there is nothing for Envoy to enforce';
  if (policy.mesh.ingress.own === undefined) {
    return 'Envoy needs its own side of the ingress; write mesh.ingress.own: { cert_file, key_file, client_ca_file, listen }';
  }
  if (meshRules(policy, rules).length === 0) return 'every service is reached directly, so nothing passes Envoy';
  return undefined;
}

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
