import { istioObject, type KubeObject, metadata, objectName, RULES, selector } from './objects.ts';
import { requestAuthentication } from './request-authentication.ts';
import { istioRule } from './rule.ts';
import type { Asked, Place, Scene } from './scene.ts';
import { telemetry } from './telemetry.ts';

/** Who connects to workloads; undefined where the policy does not say what the ingress runs as. */
export function ingressPrincipal({ mesh, ingress }: Pick<Scene, 'mesh' | 'ingress'>): string | undefined {
  const { namespace, serviceAccount } = ingress;
  return serviceAccount === undefined ? undefined : `${mesh.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The ingress alone, and with an assertion for this service. */
function authorizationPolicy(scene: Scene, { service, rules }: Asked, place: Place, principal: string): KubeObject {
  const annotations = { [RULES]: JSON.stringify(rules.map(({ id }) => id)) };
  const meta = metadata('workload', objectName('workload', service.name), place.namespace, annotations);
  return istioObject('AuthorizationPolicy', meta, {
    ...selector(place.labels),
    action: 'ALLOW',
    rules: rules.map((rule) => istioRule(rule, principal, undefined, scene.assertion)),
  });
}

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
    authorizationPolicy(scene, asked, place, principal),
    telemetry(meta, labels),
  ];
}
