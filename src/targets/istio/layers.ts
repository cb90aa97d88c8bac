import { ingressesFor } from '../../policy/ingress.ts';
import type { Policy, Service } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { KubeObject } from '../kit/kubernetes.ts';
import type { MeshOptions } from '../types.ts';
import { ingressObjects } from './ingress.ts';
import { istioObject, metadata, objectName, requestAuthentication, selector, telemetry } from './objects.ts';
import { authorizationPolicy, type View } from './rule.ts';
import { type Asked, type Scene, toScene } from './services.ts';

/** The principals of connections to a workload: one for each ingress that leads to it. Empty if the policy does not name
 * the namespace and the service account of each. */
export function ingressPrincipals({ mesh }: Pick<Scene, 'mesh'>, service: Service): readonly string[] {
  const all = ingressesFor(mesh, service);
  const known = all.filter(({ namespace, serviceAccount }) => namespace !== undefined && serviceAccount !== undefined);
  if (known.length < all.length) return [];
  return known.map(({ namespace, serviceAccount }) => `${mesh.trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
}

/** What a workload sees of the requests from each ingress that leads to it. */
export const workloadViews = (scene: Pick<Scene, 'mesh' | 'assertion'>, service: Service): readonly View[] =>
  ingressPrincipals(scene, service).map((principal) => ({ assertion: scene.assertion, principal: () => principal }));

/** All objects for one workload. There are none if the policy does not say where the workload or the ingress runs. */
function workloadObjects(scene: Scene, asked: Asked): readonly KubeObject[] {
  const { service, place } = asked;
  const views = workloadViews(scene, service);
  if (place === undefined || views.length === 0) return [];
  const { namespace, labels } = place;
  const meta = metadata('workload', objectName('workload', service.name), namespace);
  const { assertion } = scene;
  return [
    istioObject('PeerAuthentication', meta, { ...selector(labels), mtls: { mode: 'STRICT' } }),
    ...(assertion ? [requestAuthentication(meta, labels, scene.jwks, assertion, [service.name])] : []),
    authorizationPolicy(meta, labels, asked.rules, views),
    telemetry(meta, labels),
  ];
}

/** The rendered objects of each file. */
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
