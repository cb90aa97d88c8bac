import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { kustomization } from '../kustomization.ts';
import type { Emitted, MeshTarget } from '../types.ts';
import { documents } from '../yaml.ts';
import { objectsOf } from './assemble.ts';
import { covers } from './covers.ts';
import { driftOf } from './drift.ts';
import { gapsOf } from './gaps.ts';
import { FILE } from './objects.ts';
import { projection } from './project.ts';
import { otherHostRules, readLinkerd } from './read.ts';
import { unguardedHosts } from './unguarded.ts';

/**
 * Renders the rules as Linkerd's policy for the workloads: linkerd.yaml for `kubectl apply`, and the kustomization.yaml
 * that names it.
 *
 * @returns no file where the policy says too little, and gaps that say what
 */
export function renderLinkerd(policy: Policy, rules: readonly Rule[]): Emitted {
  if (policy.mesh === undefined) {
    return {
      files: {},
      gaps: [{ part: 'mesh', text: 'the policy has no mesh, so there is nothing for Linkerd to enforce' }],
    };
  }
  const gaps = gapsOf(policy, rules);
  const objects = objectsOf(policy, rules);
  if (objects.length === 0) return { files: {}, gaps };
  return {
    files: {
      [FILE]: documents(objects),
      'kustomization.yaml': documents([kustomization([FILE])]),
    },
    gaps,
  };
}

export const linkerd: MeshTarget = {
  name: 'linkerd',
  takesJwks: false,
  emit: renderLinkerd,
  covers,
  read: readLinkerd,
  project: (policy, rules) => [...projection(policy, rules), ...otherHostRules(objectsOf(policy, rules))],
  drift: driftOf,
  unguarded: unguardedHosts,
};
