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
      const doors = its && ingressesFor(its, service);
      return [
        key,
        doors === undefined || doors.some((it) => own.includes(it)) ? service : elsewhere(service, doors[0]),
      ];
    }),
  );
  const isHere = ({ service }: Rule): boolean => services[service]?.direct === undefined;
  const routes = new Set(rules.filter(isHere).map(({ route }) => route));
  const kept = rules.filter(({ route }) => routes.has(route));
  const agents = Object.values(policy.agents).flatMap(({ match }) => (match.kind === 'service' ? [match.service] : []));
  const asked = new Set([...kept.map(({ service }) => service), ...agents]);
  const { meshes: _, ...rest } = policy;
  return {
    policy: {
      ...rest,
      mesh,
      services: Object.fromEntries(Object.entries(services).filter(([key]) => asked.has(key))),
    },
    rules: kept.map((rule) => (isHere(rule) ? rule : { ...rule, as: '' })),
  };
}

/** Returns the policy of one of several meshes. A policy with one mesh is returned unchanged. */
export function atMesh(whole: Ruled, name: string): Ruled {
  if (!hasSeveralMeshes(whole.policy)) return whole;
  const mesh = whole.policy.meshes?.[name];
  if (mesh === undefined) throw new Error(`no mesh ${name}`);
  return seenBy(whole, mesh, Object.values(mesh.ingresses));
}

/** Returns the policy of one of several ingresses of the policy's mesh. */
export function atIngress(whole: Ruled, name: string): Ruled {
  const { mesh } = whole.policy;
  const ingress = mesh?.ingresses[name];
  if (mesh === undefined || ingress === undefined) throw new Error(`no ingress ${name}`);
  const { [name]: _, ...others } = mesh.ingresses;
  return seenBy(whole, { ...mesh, ingress, ingresses: { [name]: ingress }, others }, [ingress]);
}
