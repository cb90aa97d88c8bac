import { ingressesFor } from '../../policy/checked/ingresses.ts';
import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import { hash } from '../../rules/hash.ts';
import type { Rule } from '../../rules/types.ts';
import { objectName, ownerOf, prefixOf, readable, sorted } from '../kit/owner.ts';
import { grouped, meshRules } from '../kit/rules.ts';

/** Where pods run. */
interface Place {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A service behind the ingress, with the rules that lead to it. */
export type MeshService = ReturnType<typeof meshServices>[number];

/** The input of the renderer. */
export type IstioContext = ReturnType<typeof istioContext>;

const DNS_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const ADDRESS = /^[\d.]+$/;

const isName = (text: string): boolean => DNS_NAME.test(text) && !ADDRESS.test(text);

/** The host name in an authority, in lower case and without the port. */
export const nameOf = ({ authority }: Pick<Service, 'authority'>) => authority.replace(/:\d+$/, '').toLowerCase();

/** Why Istio cannot route requests to a service; undefined if it can. */
export function unreachable(service: Service): string | undefined {
  if (service.direct !== undefined)
    return 'nginx connects to the service directly and not through Istio, so Istio does not enforce its rules';
  const wrong = [nameOf(service), service.endpoint.host.toLowerCase()].find((it) => !isName(it));
  if (wrong === undefined) return undefined;
  return `Istio routes only to DNS names, and ${wrong} is not a DNS name: nothing is rendered, and Istio refuses requests to the service; write another authority or endpoint`;
}

/** The rules of services to which Istio can route requests. */
export function istioRules(policy: Policy, rules: readonly Rule[]): readonly Enforced[] {
  return meshRules(policy, rules).filter(({ service }) => {
    const found = policy.services[service];
    return found !== undefined && unreachable(found) === undefined;
  });
}

export const completePlace = ({ namespace, labels }: Partial<Place>): Place | undefined =>
  namespace === undefined || labels === undefined ? undefined : { namespace, labels };

/** The services to which rules lead through the mesh, in the order of the policy. */
function meshServices(policy: Policy, rules: readonly Rule[]) {
  const byService = grouped(istioRules(policy, rules), ({ service }) => service);
  const services = Object.values(policy.services).filter(({ name }) => byService.has(name));
  return services.map((service) => {
    const name = nameOf(service);
    const alone = services.every((other) => other === service || nameOf(other) !== name);
    const place = completePlace(service);
    return {
      service,
      rules: byService.get(service.name) ?? [],
      name,
      // The values of `hosts` in its rules. They match any port, unless another service has the same name.
      hosts: alone ? [name, `${name}:*`] : [service.authority.toLowerCase()],
      // The place is absent if the policy does not say where the workload runs.
      ...(place && { place }),
    };
  });
}

/** What the policy lacks to be rendered for Istio; undefined if it is complete. */
export function istioLacks(policy: Policy, rules: readonly Rule[]): string | undefined {
  const { mesh, gateway } = policy;
  if (mesh === undefined) return 'the policy has no mesh, so there is nothing for Istio to enforce';
  if (completePlace(mesh.ingress) === undefined) {
    return 'the policy does not say where the ingress runs; write mesh.ingress: { namespace, labels }';
  }
  if (istioRules(policy, rules).length === 0) return 'no service is reached through Istio';
  if (gateway.assertion?.issuer.endsWith('*'))
    return 'Istio reads the * at the end of gateway.assertion.issuer as any text; write an issuer that does not end with *';
  return undefined;
}

/** The input of the renderer, for policies that lack nothing; see {@link istioLacks}.
 * @param jwks the gateway's public keys as JSON; absent: istiod fetches them */
export function istioContext(policy: Policy, rules: readonly Rule[], jwks?: string) {
  const { mesh } = policy;
  const place = mesh && completePlace(mesh.ingress);
  if (mesh === undefined || place === undefined) throw new Error('istio: the policy says too little');
  const { assertion } = policy.gateway;
  return {
    policy,
    owner: ownerOf(policy),
    mesh,
    ingress: { ...mesh.ingress, ...place },
    services: meshServices(policy, rules),
    ...(assertion && { assertion }),
    ...(jwks !== undefined && { jwks }),
  };
}

/** The principals of connections to a workload: one for each ingress that leads to it. Empty if the policy does not name
 * the namespace and the service account of each. */
export function ingressPrincipals({ mesh }: Pick<IstioContext, 'mesh'>, service: Service): readonly string[] {
  const all = ingressesFor(mesh, service);
  const known = all.filter(({ namespace, serviceAccount }) => namespace !== undefined && serviceAccount !== undefined);
  if (known.length < all.length) return [];
  return known.map(({ namespace, serviceAccount }) => `${mesh.trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
}

/** Whether the policy says where the workload and its ingresses run, so that the workload can enforce its rules. */
export const isPlaced = (
  context: Pick<IstioContext, 'mesh'>,
  meshService: MeshService,
): meshService is MeshService & { readonly place: Place } =>
  meshService.place !== undefined && ingressPrincipals(context, meshService.service).length > 0;

/** The pods of a service and the ingresses that lead to it, as a text that is the same for all services with the same
 * ones. */
export const podsOf = ({ mesh }: Pick<IstioContext, 'mesh'>, service: Service, { namespace, labels }: Place): string =>
  JSON.stringify([
    namespace,
    sorted(labels),
    ingressesFor(mesh, service)
      .map(({ name }) => name)
      .sort(),
  ]);

type Owned = Pick<IstioContext, 'mesh' | 'owner'>;

/** The name of the objects that configure pods. It depends only on them and their ingresses, so the objects stay at these
 * pods when services there are added, removed or moved. Otherwise an update would move them to other pods first, and the
 * workload would deny the requests of the services that are left. */
export const podsName = (context: Owned, service: Service, place: Place): string =>
  `${prefixOf(context.owner)}pods.${readable(place.labels)}${hash(podsOf(context, service, place))}`;

/** The name of the policy with the rules of a service at its pods. If the pods of two services were exchanged under the
 * same names, an update would leave pods without any policy in between, and Istio allows every request to such pods. */
export const workloadName = (
  { owner }: Pick<IstioContext, 'owner'>,
  service: Service,
  { namespace, labels }: Place,
): string => `${objectName(owner, 'workload', service.name)}.${hash(JSON.stringify([namespace, sorted(labels)]))}`;
