import { ingressesFor } from '../policy/ingress.ts';
import type { Ingress, Policy, Service } from '../policy/types.ts';
import type { Rule } from './types.ts';

export interface Ruled {
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

/** Returns a service of another ingress as this ingress sees it: like a service without a mesh. */
function elsewhere(service: Service, { host, port, serverName, caFile }: Ingress): Service {
  return { ...service, direct: { host, port, tls: true, caFile, serverName } };
}

/** Returns the policy of one of several ingresses. Services of other ingresses become services without a mesh. A route
 * that leads only to such services loses its rules. Other routes keep all rules, because an agent's rule depends on the
 * rules for people. */
export function atIngress({ policy, rules }: Ruled, name: string): Ruled {
  const { mesh } = policy;
  const ingress = mesh?.ingresses[name];
  if (mesh === undefined || ingress === undefined) throw new Error(`no ingress ${name}`);
  const services = Object.fromEntries(
    Object.entries(policy.services).map(([key, service]) => {
      const own = service.direct === undefined ? ingressesFor(mesh, service) : ([ingress] as const);
      return [key, own.includes(ingress) ? service : elsewhere(service, own[0])];
    }),
  );
  const { [name]: _, ...others } = mesh.ingresses;
  const isHere = ({ service }: Rule): boolean => services[service]?.direct === undefined;
  const routes = new Set(rules.filter(isHere).map(({ route }) => route));
  const kept = rules.filter(({ route }) => routes.has(route));
  const agents = Object.values(policy.agents).flatMap(({ match }) => (match.kind === 'service' ? [match.service] : []));
  const asked = new Set([...kept.map(({ service }) => service), ...agents]);
  return {
    policy: {
      ...policy,
      mesh: { ...mesh, ingress, ingresses: { [name]: ingress }, others },
      services: Object.fromEntries(Object.entries(services).filter(([key]) => asked.has(key))),
    },
    rules: kept.map((rule) => (isHere(rule) ? rule : { ...rule, as: '' })),
  };
}
