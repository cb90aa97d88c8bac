import { hasSeveralMeshes, ingressesFor, meshOf } from '../../policy/checked/ingresses.ts';
import type { Ingress, Mesh, Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../types.ts';

export interface Ruled {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

/** Returns a service of another ingress as this ingress sees it: like a service without a mesh. */
function elsewhere(service: Service, { host, port, serverName, caFile }: Ingress): Service {
  return { ...service, direct: { host, port, tls: true, caFile, serverName } };
}

/** Returns the policy with one mesh and with some of its ingresses. Services of other ingresses become services without
 * a mesh. A route that leads only to such services loses its rules. Other routes keep all rules, because an agent's
 * rule depends on the rules for people. */
function seenBy({ policy, rules }: Ruled, mesh: Mesh, own: readonly Ingress[]): Ruled {
  const services = Object.fromEntries(
    Object.entries(policy.services).map(([key, service]) => {
      const its = meshOf(policy, service);
      const ingresses = its && ingressesFor(its, service);
      return [
        key,
        ingresses === undefined || ingresses.some((it) => own.includes(it))
          ? service
          : elsewhere(service, ingresses[0]),
      ];
    }),
  );
  const isHere = ({ service }: Rule): boolean => services[service]?.direct === undefined;
  const routes = new Set(rules.filter(isHere).map(({ route }) => route));
  const kept = rules.filter(({ route }) => routes.has(route));
  const agents = Object.values(policy.agents).flatMap(({ match }) => (match.kind === 'service' ? [match.service] : []));
  const requested = new Set([...kept.map(({ service }) => service), ...agents]);
  const { meshes: _, ...rest } = policy;
  return {
    policy: {
      ...rest,
      mesh,
      services: Object.fromEntries(Object.entries(services).filter(([key]) => requested.has(key))),
    },
    rules: kept.map((rule) => (isHere(rule) ? rule : { ...rule, as: '' })),
  };
}

/** Returns the policy of one of several meshes. A policy with one mesh is returned unchanged. */
export function atMesh(entire: Ruled, name: string): Ruled {
  if (!hasSeveralMeshes(entire.policy)) return entire;
  const mesh = entire.policy.meshes?.[name];
  if (mesh === undefined) throw new Error(`no mesh ${name}`);
  return seenBy(entire, mesh, Object.values(mesh.ingresses));
}

/** Returns the policy of one of several ingresses of the policy's mesh. */
export function atIngress(entire: Ruled, name: string): Ruled {
  const { mesh } = entire.policy;
  const ingress = mesh?.ingresses[name];
  if (mesh === undefined || ingress === undefined) throw new Error(`no ingress ${name}`);
  const { [name]: _, ...others } = mesh.ingresses;
  return seenBy(entire, { ...mesh, ingress, ingresses: { [name]: ingress }, others }, [ingress]);
}
