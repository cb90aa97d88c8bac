import type { Ingress, Mesh, Policy, Service } from './types.ts';

/** Whether a policy's mesh has several ingresses. */
export const hasSeveral = ({ mesh }: Policy): boolean => Object.keys(mesh?.ingresses ?? {}).length > 1;

/** The ingress through which nginx reaches a service in the mesh. */
export function ingressOf({ ingress, ingresses }: Mesh, service: Pick<Service, 'ingress'>): Ingress {
  if (Object.keys(ingresses).length < 2) return ingress;
  const found = ingresses[service.ingress ?? 'default'];
  if (found === undefined) throw new Error(`no ingress ${service.ingress ?? 'default'}`);
  return found;
}

/** The place of an ingress in the policy, for messages. */
export const ingressPath = ({ name }: Ingress, policy: Policy): string =>
  hasSeveral(policy) || name !== 'default' ? `mesh.ingresses.${name}` : 'mesh.ingress';
