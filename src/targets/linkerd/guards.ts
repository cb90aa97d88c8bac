import type { Policy, Service } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import type { Rule } from '../../rules/types.ts';
import { envoyGuards, type Guard } from '../kit/guards.ts';
import { ownerOf } from '../kit/owner.ts';
import { serverName } from './objects.ts';
import { isGuarded } from './workloads.ts';

/** The Server of a service, if nginx connects to its workloads. Behind an ingress, the ingress's own proxy of Linkerd
 * removes the header by which a denial of the workload differs from an answer of the service. */
export function linkerdGuards(policy: Policy, _: readonly Rule[], service: Service): readonly Guard[] {
  const { mesh } = policy;
  if (mesh === undefined || !isReachedItself(mesh, service)) return envoyGuards(policy);
  if (!isGuarded(service)) return [];
  const object = `Server ${service.namespace}/${serverName({ ...service, owner: ownerOf(policy) })}`;
  return [{ layer: 'workload', object, by: 'linkerd', seesAssertion: false }];
}
