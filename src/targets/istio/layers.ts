import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { MeshOptions } from '../types.ts';
import { ingressObjects } from './ingress.ts';
import type { KubeObject } from './objects.ts';
import { toScene } from './scene.ts';
import { workloadObjects } from './workload.ts';

/** The objects, by the file that they are in. */
export function istioObjects(
  policy: Policy,
  rules: readonly Rule[],
  { assertionJwks }: MeshOptions = {},
): Readonly<Record<string, readonly KubeObject[]>> {
  const scene = toScene(policy, rules, assertionJwks);
  const workloads = scene.services.map((asked) => [
    `workloads/${asked.service.name}.yaml`,
    workloadObjects(scene, asked),
  ]);
  return Object.fromEntries([
    ['ingress.yaml', ingressObjects(scene)],
    ...workloads.filter(([, objects]) => objects?.length),
  ]);
}
