import { CONSUL_SPIFFE } from '../../policy/check/mesh/consul.ts';
import { ingressesFor } from '../../policy/checked/ingresses.ts';
import type { Assertion, Policy, Service } from '../../policy/checked/types.ts';
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

/** The services of Consul that connect to the workload for requests of a rule: those of its ingresses, or nginx itself.
 * Empty if Consul does not know one of them. */
export function sourcesOf({ mesh, services }: Policy, { as, service }: Rule): readonly string[] {
  const found = services[service];
  const ingresses = mesh && found ? ingressesFor(mesh, found) : [];
  const own = CONSUL_SPIFFE.exec(mesh?.identities[as]?.spiffe ?? '')?.[1];
  const all = (ingresses.length > 0 ? ingresses : [undefined]).map((it) => it?.consulService ?? own);
  const known = all.filter((it) => it !== undefined);
  return known.length < all.length ? [] : [...new Set(known)];
}

/** The rules that Consul enforces: the rules of services in the mesh whose sources Consul knows. */
export const consulRules = (policy: Policy, rules: readonly Rule[]): readonly Enforced[] =>
  meshRules(policy, rules).filter((rule) => sourcesOf(policy, rule).length > 0);

/** Every service to which a rule leads, in the order of the policy. */
export function destinationsOf(policy: Policy, rules: readonly Rule[]): readonly Destination[] {
  const held = consulRules(policy, rules);
  const services = Object.values(policy.services).filter(({ direct }) => direct === undefined);
  return [...grouped(services, consulName)].flatMap(([name, services]): Destination[] => {
    const names = new Set(services.map((service) => service.name));
    const own = held.filter(({ service }) => names.has(service));
    if (own.length === 0) return [];
    const pairs = own.flatMap((rule) => sourcesOf(policy, rule).map((source) => ({ source, rule })));
    const sources = grouped(pairs, ({ source }) => source);
    return [{ name, sources: [...sources].map(([name, some]) => ({ name, rules: some.map(({ rule }) => rule) })) }];
  });
}

/** The assertion that a rule requires; undefined if the rule allows anyone, or if the gateway signs no assertions. */
export const assertionFor = ({ gateway }: Policy, { who }: Pick<Rule, 'who'>): Assertion | undefined =>
  who.kind === 'anyone' ? undefined : gateway.assertion;

/** What the policy lacks to be rendered for Consul; undefined if it is complete. */
export function consulLacks(policy: Policy, rules: readonly Rule[]): string | undefined {
  const { mesh, gateway } = policy;
  if (mesh === undefined) return 'the policy has no mesh, so there is nothing for Consul to enforce';
  if (gateway.assertion !== undefined && mesh.kind !== 'consul') {
    return 'the assertion names roles in the form that Consul can compare only if the mesh is of kind consul; write kind: consul';
  }
  if (destinationsOf(policy, rules).length === 0) return 'no service is reached through Consul';
  return undefined;
}
