import type { Ingress, IngressChoice, Mesh, Policy, Service } from './types.ts';

/** Whether a policy's mesh has several ingresses. */
export const hasSeveral = ({ mesh }: Policy): boolean => Object.keys(mesh?.ingresses ?? {}).length > 1;

type Led = Pick<Service, 'ingress' | 'ingresses'>;

/** The ingresses through which nginx reaches a service in the mesh, in the order of the policy. */
export function ingressesFor({ ingress, ingresses, others }: Mesh, service: Led): readonly [Ingress, ...Ingress[]] {
  const all = { ...others, ...ingresses };
  if (Object.keys(all).length < 2) return [ingress];
  const names = service.ingresses?.map(({ name }) => name) ?? [service.ingress ?? 'default'];
  const [first, ...rest] = names.map((name) => {
    const found = all[name];
    if (found === undefined) throw new Error(`no ingress ${name}`);
    return found;
  });
  return [first as Ingress, ...rest];
}

/** The ingresses of a service as text: `east, west, standby as backup`. */
export const choicesText = (choices: readonly IngressChoice[]): string =>
  choices.map(({ name, backup }) => `${name}${backup ? ' as backup' : ''}`).join(', ');

/** The place of an ingress in the policy, for messages. */
export const ingressPath = ({ name }: Ingress, policy: Policy): string =>
  hasSeveral(policy) || name !== 'default' ? `mesh.ingresses.${name}` : 'mesh.ingress';
