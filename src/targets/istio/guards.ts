import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { deniesProbe, type Guard, PROBE_PATH } from '../kit/guards.ts';
import { objectName, ownerOf } from '../kit/owner.ts';
import { type IstioContext, isPlaced, istioContext, istioLacks, type MeshService, workloadName } from './services.ts';

const nameOf = (namespace: string, name: string): string => `AuthorizationPolicy ${namespace}/${name}`;

/** The policies of the ingress and of the workload. The workload has the same rules as the ingress, so nginx sees whether
 * the workload enforces them only by a request that the ingress lets pass; see {@link probeRules}. */
export function istioGuards(policy: Policy, rules: readonly Rule[], service: Service): readonly Guard[] {
  if (istioLacks(policy, rules) !== undefined) return [];
  const context = istioContext(policy, rules);
  const meshService = context.services.find((it) => it.service.name === service.name);
  if (meshService === undefined) return [];
  const owner = ownerOf(policy);
  const seesAssertion = context.assertion !== undefined;
  const ingress: Guard = {
    layer: 'ingress',
    object: nameOf(context.ingress.namespace, objectName(owner, 'ingress', service.name)),
    by: 'first',
    seesAssertion,
  };
  if (!isPlaced(context, meshService)) return [ingress];
  const object = nameOf(meshService.place.namespace, workloadName(context, service, meshService.place));
  return [ingress, { layer: 'workload', object, by: 'behind', seesAssertion, through: true }];
}

/** The rule with which the ingress lets the probe for a workload pass, if the gateway sends such a probe: HEAD on one
 * path of the gateway's own, as one identity. No client can send this request, because nginx does not proxy the path. */
export function probeRules(context: IstioContext, meshService: MeshService): readonly Enforced[] {
  const [rule] = meshService.rules;
  if (context.policy.gateway.meshProbe === undefined || rule === undefined || !isPlaced(context, meshService))
    return [];
  if (!deniesProbe(meshService.rules, context.assertion !== undefined)) return [];
  const { at, host, service, as } = rule;
  const route = `${meshService.service.name}${PROBE_PATH}`;
  const path = { exact: PROBE_PATH };
  return [{ id: `${route}#1`, at, route, host, path, methods: ['HEAD'], who: { kind: 'anyone' }, service, as }];
}
