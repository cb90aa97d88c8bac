import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { KubeObject } from '../kit/kubernetes.ts';
import type { MeshOptions } from '../types.ts';
import { ingressObjects } from './ingress.ts';
import { istioObject, metadata, objectName, requestAuthentication, selector, telemetry } from './objects.ts';
import { authorizationPolicy, type View } from './rule.ts';
import { type Asked, type Scene, toScene } from './services.ts';

/** The principal of connections to workloads; undefined if the policy does not name the ingress's service account. */
export function ingressPrincipal({ mesh, ingress }: Pick<Scene, 'mesh' | 'ingress'>): string | undefined {
  const { namespace, serviceAccount } = ingress;
  return serviceAccount === undefined ? undefined : `${mesh.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** What a workload sees. All connections come from the ingress. */
export const workloadView = ({ assertion }: Pick<Scene, 'assertion'>, principal: string): View => ({
  assertion,
  principal: () => principal,
});

/** All objects for one workload. There are none if the policy does not say where the workload or the ingress runs. */
function workloadObjects(scene: Scene, asked: Asked): readonly KubeObject[] {
  const { service, place } = asked;
  const principal = ingressPrincipal(scene);
  if (place === undefined || principal === undefined) return [];
  const { namespace, labels } = place;
  const meta = metadata('workload', objectName('workload', service.name), namespace);
  const { assertion } = scene;
  return [
    istioObject('PeerAuthentication', meta, { ...selector(labels), mtls: { mode: 'STRICT' } }),
    ...(assertion ? [requestAuthentication(meta, labels, scene.jwks, assertion, [service.name])] : []),
    authorizationPolicy(meta, labels, asked.rules, workloadView(scene, principal)),
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
