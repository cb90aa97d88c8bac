import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { KubeObject } from '../kit/kubernetes-objects.ts';
import type { MeshOptions } from '../types.ts';
import { ingressObjects } from './ingress.ts';
import { istioObject, metadata, requestAuthentication, selector, telemetry } from './objects.ts';
import { authorizationPolicy, type View } from './rule.ts';
import {
  type Asked,
  ingressPrincipals,
  isPlaced,
  podsName,
  podsOf,
  type Scene,
  toScene,
  workloadName,
} from './services.ts';

/** What a workload sees of the requests from each ingress that leads to it. */
export const workloadViews = (scene: Pick<Scene, 'mesh' | 'assertion'>, service: Service): readonly View[] =>
  ingressPrincipals(scene, service).map((principal) => ({
    assertion: scene.assertion,
    principal: () => principal,
    port: service.port,
  }));

/** All objects for one workload. There are none if the policy does not say where the workload or the ingress runs.
 * Services with the same pods share the objects that configure the pods, because Istio would use only one of several
 * (IST0159). They are in the file of the first service. Services of other ingresses are in other folders, and so they do
 * not share them: an object must be the same in each folder. */
function workloadObjects(scene: Scene, asked: Asked): readonly KubeObject[] {
  if (!isPlaced(scene, asked)) return [];
  const { service, place } = asked;
  const { namespace, labels } = place;
  const named = (name: string) => metadata(scene.owner, 'workload', name, namespace);
  const own = authorizationPolicy(
    named(workloadName(scene, service, place)),
    labels,
    asked.rules,
    workloadViews(scene, service),
  );
  const pods = podsOf(scene, service, place);
  const meta = named(podsName(scene, service, place));
  const sharing = scene.services.filter((it) => isPlaced(scene, it) && podsOf(scene, it.service, it.place) === pods);
  if (sharing[0] !== asked) return [own];
  const { assertion, jwks } = scene;
  const audiences = sharing.map((it) => it.service.name).sort();
  return [
    istioObject('PeerAuthentication', meta, { ...selector(labels), mtls: { mode: 'STRICT' } }),
    ...(assertion ? [requestAuthentication(meta, labels, { jwks, assertion, audiences })] : []),
    own,
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
