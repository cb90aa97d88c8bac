import type { Policy, Service } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';

/** The services that Envoy serves, by their authority; the first one of an authority is the one it asks. */
export interface Authority {
  readonly authority: string;
  /** What a Host header may say: the authority as written, and with or without a port where that names no other. */
  readonly domains: readonly string[];
  readonly services: readonly Service[];
}

const portOf = (authority: string): string | undefined => /:\d+$/.exec(authority)?.[0];

/** The rules that Envoy enforces: those of services behind it. */
export function meshRules(policy: Policy, rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule) => policy.services[rule.service]?.direct === undefined);
}

/** Authorities of the services that some rule asks through the mesh, in the policy's order. */
export function authoritiesOf(policy: Policy, rules: readonly Rule[]): readonly Authority[] {
  const asked = new Set(meshRules(policy, rules).map((rule) => rule.service));
  const services = Object.values(policy.services).filter((service) => asked.has(service.name));
  const written = new Set(services.map((service) => service.authority));
  return [...written].map((authority) => {
    const port = portOf(authority);
    const bare = port === undefined ? authority : authority.slice(0, -port.length);
    const sameName = [...written].filter((other) => other === bare || (portOf(other) && other.startsWith(`${bare}:`)));
    const other = port === undefined ? `${authority}:${policy.mesh?.ingress.own?.listen ?? 443}` : bare;
    return {
      authority,
      domains: sameName.length > 1 ? [authority] : [authority, other],
      services: services.filter((service) => service.authority === authority),
    };
  });
}
