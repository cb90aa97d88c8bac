import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { kustomization } from '../kit/kubernetes-objects.ts';
import { defineMesh } from '../kit/mesh.ts';
import { ownerOf } from '../kit/owner.ts';
import { documents } from '../kit/yaml.ts';
import type { Emitted, MeshOptions } from '../types.ts';
import { objectsOf } from './assemble.ts';
import { driftOf, unguardedHosts } from './drift.ts';
import { enforcedByLinkerd, linkerdGaps } from './gaps.ts';
import { linkerdGuards } from './guards.ts';
import { FILE } from './objects.ts';
import { projection } from './project.ts';
import { otherHostRules, readLinkerd } from './read.ts';
import { forUpdate } from './update.ts';
import { lackOf } from './workloads.ts';

/** Renders the rules as Linkerd's policy for the workloads: linkerd.yaml for `kubectl apply`, and a kustomization.yaml
 * that lists it. If there is nothing that Linkerd can enforce, it renders no file. */
function render(policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted {
  const gaps = linkerdGaps(policy, rules);
  const own = objectsOf(policy, rules);
  const objects = options.forUpdate ? own.map(forUpdate) : own;
  if (objects.length === 0) return { files: {}, gaps };
  return { files: { [FILE]: documents(objects), 'kustomization.yaml': documents([kustomization([FILE])]) }, gaps };
}

export const linkerd = defineMesh({
  name: 'linkerd',
  title: 'Linkerd',
  takesJwks: false,
  takesForUpdate: true,
  refuses: 'Linkerd matches paths without decoding them, so it refuses a path',
  seesNoTools: true,
  seesAssertion: () => false,
  missing: ({ mesh }) =>
    mesh === undefined ? 'the policy has no mesh, so there is nothing for Linkerd to enforce' : undefined,
  render,
  enforces: enforcedByLinkerd,
  notEnforced: ({ service: name }, { services }) => {
    const service = services[name];
    if (service === undefined || service.direct) return `${name} is reached directly and not through the mesh`;
    return lackOf(service);
  },
  read: readLinkerd,
  project: (policy, rules) => [
    ...projection(policy, rules),
    ...otherHostRules(objectsOf(policy, rules), ownerOf(policy)),
  ],
  drift: driftOf,
  unguarded: unguardedHosts,
  guards: linkerdGuards,
});
