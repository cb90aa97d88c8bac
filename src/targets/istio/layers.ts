import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { KubeObject } from '../kit/kubernetes-objects.ts';
import type { MeshOptions } from '../types.ts';
import { ingressObjects } from './ingress.ts';
import { istioObject, metadata, requestAuthentication, selector, telemetry } from './objects.ts';
import { authorizationPolicy, type View } from './rule.ts';
import {
  type IstioContext,
  ingressPrincipals,
  isPlaced,
  istioContext,
  type MeshService,
  podsName,
  podsOf,
  workloadName,
} from './services.ts';

/** What a workload sees of the requests from each ingress that leads to it. */
export const workloadViews = (context: Pick<IstioContext, 'mesh' | 'assertion'>, service: Service): readonly View[] =>
  ingressPrincipals(context, service).map((principal) => ({
    assertion: context.assertion,
    principal: () => principal,
    port: service.port,
  }));

/** All objects for one workload. There are none if the policy does not say where the workload or the ingress runs.
 * Services with the same pods share the objects that configure the pods, because Istio would use only one of several
 * (IST0159). They are in the file of the first service. Services of other ingresses are in other folders, and so they do
 * not share them: an object must be the same in each folder. */
function workloadObjects(context: IstioContext, meshService: MeshService): readonly KubeObject[] {
  if (!isPlaced(context, meshService)) return [];
  const { service, place } = meshService;
  const { namespace, labels } = place;
  const named = (name: string) => metadata(context.owner, 'workload', name, namespace);
  const own = authorizationPolicy(
    named(workloadName(context, service, place)),
    labels,
    meshService.rules,
    workloadViews(context, service),
  );
  const pods = podsOf(context, service, place);
  const meta = named(podsName(context, service, place));
  const sharing = context.services.filter(
    (it) => isPlaced(context, it) && podsOf(context, it.service, it.place) === pods,
  );
  if (sharing[0] !== meshService) return [own];
  const { assertion, jwks } = context;
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
  const context = istioContext(policy, rules, assertionJwks);
  const workloads = context.services.map((meshService) => [
    `workloads/${meshService.service.name}.yaml`,
    workloadObjects(context, meshService),
  ]);
  return Object.fromEntries([
    ['ingress.yaml', ingressObjects(context)],
    ...workloads.filter(([, objects]) => objects?.length),
  ]);
}
