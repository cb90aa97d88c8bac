import type { Identity, Ingress, IngressChoice, Mesh, Policy, Service } from './types.ts';
import { isReachedItself, workloadOf } from './workload.ts';

type Meshed = Pick<Policy, 'mesh' | 'meshes'>;

/** Whether a policy has several meshes. */
export const hasSeveralMeshes = ({ meshes }: Meshed): boolean => meshes !== undefined;

/** All meshes of a policy. */
export const meshesOf = ({ mesh, meshes }: Meshed): readonly Mesh[] =>
  mesh === undefined ? Object.values(meshes ?? {}) : [mesh];

/** Whether a mesh has several ingresses. */
export const hasSeveralIngresses = ({ ingresses }: Mesh): boolean => Object.keys(ingresses).length > 1;

/** Whether a mesh of a policy has several ingresses. */
export const hasSeveral = (policy: Meshed): boolean => meshesOf(policy).some(hasSeveralIngresses);

/** The mesh through which nginx reaches a service; undefined for a service without a mesh. */
export function meshOf({ meshes, mesh }: Meshed, service: Service | undefined): Mesh | undefined {
  if (service === undefined || service.direct !== undefined) return undefined;
  return mesh ?? meshes?.[service.mesh ?? 'default'];
}

/** The identity with which nginx connects for a rule; undefined if the rule's service has no mesh. */
export const identityOf = (policy: Policy, { service, as }: { readonly service: string; readonly as: string }) =>
  meshOf(policy, policy.services[service])?.identities[as];

/** All identities of a policy, in the order of the meshes. */
export const identitiesOf = (policy: Meshed): readonly Identity[] =>
  meshesOf(policy).flatMap(({ identities }) => Object.values(identities));

type ReachedThrough = Pick<Service, 'ingress' | 'ingresses' | 'serviceAccount' | 'namespace'>;

/** The ingresses through which nginx reaches a service in the mesh, in the order of the policy. */
export function ingressesFor(mesh: Mesh, service: ReachedThrough): readonly [Ingress, ...Ingress[]] {
  const { ingress, ingresses, others } = mesh;
  const all = { ...others, ...ingresses };
  // If nginx connects to the workloads itself, the service belongs to the first ingress.
  if (Object.keys(all).length < 2 || isReachedItself(mesh, service)) return [ingress];
  const names = service.ingresses?.map(({ name }) => name) ?? [service.ingress ?? 'default'];
  const [first, ...rest] = names.map((name) => {
    const found = all[name];
    if (found === undefined) throw new Error(`no ingress ${name}`);
    return found;
  });
  return [first as Ingress, ...rest];
}

/** Where nginx connects to for a service in the mesh: to its workloads themselves, or else to its ingresses. */
export function reachedAt(mesh: Mesh, service: Service): readonly [Ingress, ...Ingress[]] {
  const workload = workloadOf(mesh, service);
  return workload === undefined ? ingressesFor(mesh, service) : [workload];
}

/** The ingresses of a service as text: `east, west, standby as backup`. */
export const choicesText = (choices: readonly IngressChoice[]): string =>
  choices.map(({ name, backup }) => `${name}${backup ? ' as backup' : ''}`).join(', ');

/** The place of an ingress in the policy, for messages. */
export function ingressPath(ingress: Ingress, { mesh: only, meshes }: Policy): string {
  const mesh = only ?? meshes?.[ingress.mesh ?? ''];
  const several = mesh !== undefined && hasSeveralIngresses(mesh);
  const section = mesh === undefined || mesh.name === 'default' ? 'mesh' : `meshes.${mesh.name}`;
  return `${section}.${several || ingress.name !== 'default' ? `ingresses.${ingress.name}` : 'ingress'}`;
}
