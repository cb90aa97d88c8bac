import type { Policy, Service } from '../../../src/policy/checked/types.ts';
import { gatewayName } from '../../../src/targets/istio/ingress.ts';
import { ownerOf } from '../../../src/targets/kit/owner.ts';
import type { Stage } from '../../harness/index.ts';
import type { Ingress } from './ingress.ts';
import type { IstiodOptions } from './istiod.ts';
import { type Lab, startLab } from './lab.ts';
import type { App, Workload } from './workload.ts';

export interface PolicyLabOptions extends IstiodOptions {
  /** The program behind the sidecar of a service; by default an echo. */
  readonly app?: (service: Service) => App | undefined;
  /** Names of the services with a workload; by default all that say where they run. */
  readonly services?: readonly string[];
}

/** A lab with everything that a policy names. */
export interface PolicyLab {
  readonly lab: Lab;
  readonly ingress: Ingress;
  /** By the service's name in the policy. */
  readonly workloads: ReadonlyMap<string, Workload>;
}

/**
 * Starts a lab, the ingress and the workloads where the policy says they run: what `render --target istio` writes can
 * be applied as it is. Nothing of it is yet.
 */
export async function startPolicyLab(stage: Stage, policy: Policy, options: PolicyLabOptions = {}): Promise<PolicyLab> {
  const { mesh } = policy;
  if (mesh === undefined) throw new Error('the policy has no mesh');
  const lab = await startLab(stage, { ...options, trustDomain: mesh.trustDomain });
  const { namespace, labels, serviceAccount = 'ingress', port, host, serverName } = mesh.ingress;
  if (namespace === undefined || labels === undefined)
    throw new Error('the policy does not say where its ingress runs');
  const place = { namespace, labels, serviceAccount, ports: [port], dns: [serverName, host] };
  const services = Object.values(policy.services).filter(
    (service) => service.labels !== undefined && (options.services?.includes(service.name) ?? true),
  );
  const [ingress, ...workloads] = await Promise.all([
    lab.startIngress({ ...place, credentialName: gatewayName(ownerOf(policy)) }),
    ...services.map((service) => startService(lab, service, options.app?.(service))),
  ]);
  return { lab, ingress, workloads: new Map(workloads) };
}

/** Its name in Kubernetes is the first part of the endpoint's. */
async function startService(lab: Lab, service: Service, app?: App): Promise<[string, Workload]> {
  const { name, labels = {}, namespace = 'default', endpoint, port } = service;
  const workload = await lab.startWorkload({
    name: endpoint.host.split('.')[0]!,
    namespace,
    labels,
    serviceAccount: name,
    port: port ?? endpoint.port,
    servicePort: endpoint.port,
    ...(app && { app }),
  });
  return [name, workload];
}
