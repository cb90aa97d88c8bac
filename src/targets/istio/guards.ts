import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { deniesProbe, type Guard, PROBE_PATH } from '../kit/guards.ts';
import { objectName, ownerOf } from '../kit/owner.ts';
import { type Asked, isPlaced, missing, type Scene, toScene, workloadName } from './services.ts';

const nameOf = (namespace: string, name: string): string => `AuthorizationPolicy ${namespace}/${name}`;

/** The policies of the ingress and of the workload. The workload has the same rules as the ingress, so nginx sees whether
 * the workload enforces them only by a request that the ingress lets pass; see {@link probeRules}. */
export function istioGuards(policy: Policy, rules: readonly Rule[], service: Service): readonly Guard[] {
  if (missing(policy, rules) !== undefined) return [];
  const scene = toScene(policy, rules);
  const asked = scene.services.find((it) => it.service.name === service.name);
  if (asked === undefined) return [];
  const owner = ownerOf(policy);
  const seesAssertion = scene.assertion !== undefined;
  const ingress: Guard = {
    layer: 'ingress',
    object: nameOf(scene.ingress.namespace, objectName(owner, 'ingress', service.name)),
    by: 'first',
    seesAssertion,
  };
  if (!isPlaced(scene, asked)) return [ingress];
  const object = nameOf(asked.place.namespace, workloadName(scene, service, asked.place));
  return [ingress, { layer: 'workload', object, by: 'behind', seesAssertion, through: true }];
}

/** The rule with which the ingress lets the probe for a workload pass, if the gateway sends such a probe: HEAD on one
 * path of the gateway's own, as one identity. No client can send this request, because nginx does not proxy the path. */
export function probeRules(scene: Scene, asked: Asked): readonly Enforced[] {
  const [rule] = asked.rules;
  if (scene.policy.gateway.meshProbe === undefined || rule === undefined || !isPlaced(scene, asked)) return [];
  if (!deniesProbe(asked.rules, scene.assertion !== undefined)) return [];
  const { at, host, service, as } = rule;
  const route = `${asked.service.name}${PROBE_PATH}`;
  const path = { exact: PROBE_PATH };
  return [{ id: `${route}#1`, at, route, host, path, methods: ['HEAD'], who: { kind: 'anyone' }, service, as }];
}
