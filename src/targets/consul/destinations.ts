import { CONSUL_SPIFFE } from '../../policy/check-consul.ts';
import { ingressOf } from '../../policy/ingress.ts';
import type { Assertion, Policy, Service } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { grouped, meshRules } from '../kit/rules.ts';

/** A service of Consul that receives requests, and its rules by source: the ingress, or the identity of nginx's
 * connection. */
export interface Destination {
  readonly name: string;
  readonly sources: readonly { readonly name: string; readonly rules: readonly Enforced[] }[];
}

/** The name under which Consul knows a service. */
export const consulName = ({ name, consulService }: Service): string => consulService ?? name;

/** The service of Consul that connects to the workload for requests of a rule; undefined if Consul does not know it. */
export function sourceOf({ mesh, services }: Policy, { as, service }: Rule): string | undefined {
  const found = services[service];
  const ingress = mesh && found && ingressOf(mesh, found);
  return ingress?.consulService ?? CONSUL_SPIFFE.exec(mesh?.identities[as]?.spiffe ?? '')?.[1];
}

/** The rules that Consul enforces: the rules of services in the mesh whose sources Consul knows. */
export const consulRules = (policy: Policy, rules: readonly Rule[]): readonly Enforced[] =>
  meshRules(policy, rules).filter((rule) => sourceOf(policy, rule) !== undefined);

/** Every service to which a rule leads, in the order of the policy. */
export function destinationsOf(policy: Policy, rules: readonly Rule[]): readonly Destination[] {
  const held = consulRules(policy, rules);
  const services = Object.values(policy.services).filter(({ direct }) => direct === undefined);
  return [...grouped(services, consulName)].flatMap(([name, services]): Destination[] => {
    const names = new Set(services.map((service) => service.name));
    const own = held.filter(({ service }) => names.has(service));
    if (own.length === 0) return [];
    const sources = grouped(own, (rule) => sourceOf(policy, rule) as string);
    return [{ name, sources: [...sources].map(([name, rules]) => ({ name, rules })) }];
  });
}

/** The assertion that a rule requires; undefined if the rule allows anyone, or if the gateway signs no assertions. */
export const assertionFor = ({ gateway }: Policy, { who }: Pick<Rule, 'who'>): Assertion | undefined =>
  who.kind === 'anyone' ? undefined : gateway.assertion;

/** What the policy lacks to be rendered for Consul; undefined if it is complete. */
export function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  const { mesh, gateway } = policy;
  if (mesh === undefined) return 'the policy has no mesh, so there is nothing for Consul to enforce';
  if (gateway.assertion !== undefined && mesh.kind !== 'consul') {
    return 'the assertion names roles in the form that Consul can compare only if the mesh is of kind consul; write kind: consul';
  }
  if (destinationsOf(policy, rules).length === 0) return 'no service is reached through Consul';
  return undefined;
}
