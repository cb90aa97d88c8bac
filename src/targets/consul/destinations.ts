import { CONSUL_SPIFFE } from '../../policy/check-consul.ts';
import { ingressOf } from '../../policy/ingress.ts';
import type { Assertion, Policy, Service } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { grouped, meshRules } from '../kit/rules.ts';

/** Rules by which one service of Consul's may ask another. */
export interface Source {
  /** Who asks: the ingress, or what nginx connects as. */
  readonly name: string;
  readonly rules: readonly Enforced[];
}

/** A service of Consul's with its rules. */
export interface Destination {
  readonly name: string;
  readonly sources: readonly Source[];
}

/** What a service is registered as. */
export const consulName = ({ name, consulService }: Service): string => consulService ?? name;

/** Who connects to the workload when a rule's requests do, by the name in Consul; undefined: nobody that Consul knows. */
export function sourceOf(
  { mesh, services }: Policy,
  { as, service }: Pick<Rule, 'as' | 'service'>,
): string | undefined {
  const found = services[service];
  const ingress = mesh && found && ingressOf(mesh, found);
  return ingress?.consulService ?? CONSUL_SPIFFE.exec(mesh?.identities[as]?.spiffe ?? '')?.[1];
}

/** The rules that Consul holds: of services in the mesh, by somebody whom it knows. */
export function consulRules(policy: Policy, rules: readonly Rule[]): readonly Enforced[] {
  return meshRules(policy, rules).filter((rule) => sourceOf(policy, rule) !== undefined);
}

/** Every service that some rule asks, in the policy's order. */
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

/** The assertion that a rule wants; undefined: none, it speaks of anyone or the gateway signs nothing. */
export function assertionFor({ gateway }: Policy, { who }: Pick<Rule, 'who'>): Assertion | undefined {
  return who.kind === 'anyone' ? undefined : gateway.assertion;
}

/** Why a policy says too little for Consul; undefined if it says enough. */
export function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  const { mesh, gateway } = policy;
  if (mesh === undefined) return 'the policy has no mesh, so there is nothing for Consul to enforce';
  if (gateway.assertion !== undefined && mesh.kind !== 'consul') {
    return 'the assertion names roles in a way that Consul can compare only for a mesh of that kind; write kind: consul';
  }
  if (destinationsOf(policy, rules).length === 0) return 'no service is reached through Consul';
  return undefined;
}
