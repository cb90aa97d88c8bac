import { istioObject, type KubeObject, metadata, objectName, selector } from './objects.ts';
import { requestAuthentication } from './request-authentication.ts';
import { authorizationPolicy, type View } from './rule.ts';
import type { Asked, Scene } from './scene.ts';
import { telemetry } from './telemetry.ts';

/** Who connects to workloads; undefined where the policy does not say what the ingress runs as. */
export function ingressPrincipal({ mesh, ingress }: Pick<Scene, 'mesh' | 'ingress'>): string | undefined {
  const { namespace, serviceAccount } = ingress;
  return serviceAccount === undefined ? undefined : `${mesh.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** What a workload sees: the ingress alone connects. */
export const workloadView = ({ assertion }: Pick<Scene, 'assertion'>, principal: string): View => ({
  assertion,
  principal: () => principal,
});

/** All objects that speak of one workload; none where the policy does not say where it or the ingress is. */
export function workloadObjects(scene: Scene, asked: Asked): readonly KubeObject[] {
  const { service, place } = asked;
  const principal = ingressPrincipal(scene);
  if (place === undefined || principal === undefined) return [];
  const { namespace, labels } = place;
  const meta = metadata('workload', objectName('workload', service.name), namespace);
  const { assertion } = scene;
  return [
    istioObject('PeerAuthentication', meta, { ...selector(labels), mtls: { mode: 'STRICT' } }),
    ...(assertion ? [requestAuthentication(meta, labels, scene, assertion, [service.name])] : []),
    authorizationPolicy(meta, labels, asked.rules, workloadView(scene, principal)),
    telemetry(meta, labels),
  ];
}
