import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { envoyGuards, type Guard } from '../kit/guards.ts';
import { consulName } from './destinations.ts';

/** The intentions of a service, which its sidecar enforces. nginx connects to the sidecar itself, or to an ingress. If
 * meshgate rendered that ingress and it reads assertions, it denies the same requests first. */
export function consulGuards(policy: Policy, _: readonly Rule[], service: Service): readonly Guard[] {
  const object = `service-intentions ${consulName(service)}`;
  const seesAssertion = policy.gateway.assertion !== undefined;
  const { ingress } = policy.mesh ?? {};
  if (ingress?.consulService === undefined) return [{ layer: 'workload', object, by: 'first', seesAssertion }];
  const own = envoyGuards(policy);
  if (own.some((it) => it.seesAssertion)) return own;
  const by = own.length > 0 ? 'behind' : 'any';
  return [...own, { layer: 'workload', object, by, seesAssertion }];
}
