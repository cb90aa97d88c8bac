import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { kustomization } from '../kit/kubernetes-objects.ts';
import { defineMesh } from '../kit/mesh.ts';
import { documents } from '../kit/yaml.ts';
import type { Emitted, MeshOptions } from '../types.ts';
import { istioDrift, istioUnguarded } from './drift.ts';
import { enforcedByIstio, istioGaps } from './gaps.ts';
import { istioGuards } from './guards.ts';
import { istioObjects } from './layers.ts';
import { ROOT } from './others.ts';
import { project } from './project.ts';
import { readIstio } from './read.ts';
import { istioLacks, unreachable } from './services.ts';
import { istioToolGaps } from './tools.ts';

/** Renders the rules for Istio, in two layers: ingress.yaml for the ingress gateway, and workloads/NAME.yaml for the
 * sidecars of each service. It also writes kustomization.yaml, which lists these files. */
function render(policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted {
  const objects = Object.entries(istioObjects(policy, rules, options));
  return {
    files: {
      'kustomization.yaml': documents([kustomization(objects.map(([file]) => file))]),
      ...Object.fromEntries(objects.map(([file, all]) => [file, documents(all)])),
    },
    gaps: istioGaps(policy, rules),
  };
}

export const istio = defineMesh({
  name: 'istio',
  title: 'Istio',
  takesJwks: true,
  assumes: `the mesh's root namespace is ${ROOT}`,
  refuses: 'the ingress also refuses a path',
  seesAssertion: () => true,
  missing: istioLacks,
  render,
  toolGaps: istioToolGaps,
  enforces: enforcedByIstio,
  notEnforced: ({ service: name }, { services }) => {
    const service = services[name];
    return service === undefined ? 'no such service' : unreachable(service);
  },
  read: readIstio,
  project,
  drift: istioDrift,
  unguarded: istioUnguarded,
  guards: istioGuards,
});
