import { CONSUL_SPIFFE } from '../../policy/check-consul.ts';
import { ingressOf } from '../../policy/ingress.ts';
import type { Assertion, Policy, Service } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { grouped, meshRules } from '../kit/rules.ts';

/** Rules by which one service of Consul may send requests to another. */
export interface Source {
  /** The source: the ingress, or the identity of nginx's connection. */
  readonly name: string;
  readonly rules: readonly Enforced[];
}

/** A service of Consul with its rules. */
export interface Destination {
  readonly name: string;
  readonly sources: readonly Source[];
}

/** The name under which a service is registered. */
export const consulName = ({ name, consulService }: Service): string => consulService ?? name;

/** The source in Consul that connects to the workload for a rule's requests; undefined if Consul does not know it. */
export function sourceOf(
  { mesh, services }: Policy,
  { as, service }: Pick<Rule, 'as' | 'service'>,
): string | undefined {
  const found = services[service];
  const ingress = mesh && found && ingressOf(mesh, found);
  return ingress?.consulService ?? CONSUL_SPIFFE.exec(mesh?.identities[as]?.spiffe ?? '')?.[1];
}

/** The rules that Consul enforces: of services in the mesh, from sources that Consul knows. */
export function consulRules(policy: Policy, rules: readonly Rule[]): readonly Enforced[] {
  return meshRules(policy, rules).filter((rule) => sourceOf(policy, rule) !== undefined);
}

/** Every service that rules lead to, in the policy's order. */
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

/** The assertion that a rule requires; undefined if it is for anyone, or if the gateway signs none. */
export function assertionFor({ gateway }: Policy, { who }: Pick<Rule, 'who'>): Assertion | undefined {
  return who.kind === 'anyone' ? undefined : gateway.assertion;
}

/** What a policy lacks for Consul; undefined if it is complete. */
export function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  const { mesh, gateway } = policy;
  if (mesh === undefined) return 'the policy has no mesh, so there is nothing for Consul to enforce';
  if (gateway.assertion !== undefined && mesh.kind !== 'consul') {
    return 'the assertion names roles in a way that Consul can compare only for a mesh of that kind; write kind: consul';
  }
  if (destinationsOf(policy, rules).length === 0) return 'no service is reached through Consul';
  return undefined;
}
