import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { kustomization } from '../kustomization.ts';
import type { Emitted, MeshOptions, MeshTarget } from '../types.ts';
import { documents } from '../yaml.ts';
import { covers, gapsOf } from './covers.ts';
import { driftOf } from './drift.ts';
import { ROOT } from './foreign.ts';
import { istioObjects } from './layers.ts';
import { project } from './project.ts';
import { readIstio } from './read.ts';
import { missing } from './scene.ts';
import { unguardedHosts } from './unguarded.ts';

/**
 * Renders the rules for Istio in two layers: ingress.yaml for the ingress gateway, workloads/NAME.yaml for the sidecars
 * of each service; and kustomization.yaml, which names them.
 *
 * @returns no file where the policy says too little, and a gap that says what
 */
export function renderIstio(policy: Policy, rules: readonly Rule[], options: MeshOptions = {}): Emitted {
  const lack = missing(policy, rules);
  if (lack !== undefined) return { files: {}, gaps: [{ part: 'mesh', text: lack }] };
  const objects = Object.entries(istioObjects(policy, rules, options));
  return {
    files: {
      'kustomization.yaml': documents([kustomization(objects.map(([file]) => file))]),
      ...Object.fromEntries(objects.map(([file, all]) => [file, documents(all)])),
    },
    gaps: gapsOf(policy, rules),
  };
}

export const istio: MeshTarget = {
  name: 'istio',
  takesJwks: true,
  emit: renderIstio,
  covers,
  read: readIstio,
  project,
  drift: driftOf,
  unguarded: unguardedHosts,
  assumes: `the mesh's root namespace is ${ROOT}`,
};
