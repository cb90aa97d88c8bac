import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { meshRules } from '../kit/rules.ts';

/** A service as Envoy distinguishes it: by its authority, which occurs once in a policy. Envoy accepts the authority as
 * the Host header. If no other service has the same name, Envoy also accepts the authority without its port or, if it
 * has no port, with the port of the ingress. */
export type EnvoyAuthority = ReturnType<typeof authoritiesOf>[number];

const portOf = (authority: string): string | undefined => /:\d+$/.exec(authority)?.[0];

/** The services to which rules lead through the mesh, in the order of the policy. */
export function authoritiesOf(policy: Policy, rules: readonly Rule[]) {
  const routed = new Set(meshRules(policy, rules).map((rule) => rule.service));
  const services = Object.values(policy.services).filter((service) => routed.has(service.name));
  const written = services.map(({ authority }) => authority);
  return services.map((service) => {
    const { authority } = service;
    const port = portOf(authority);
    const bare = port === undefined ? authority : authority.slice(0, -port.length);
    const sameName = written.filter((other) => other === bare || (portOf(other) && other.startsWith(`${bare}:`)));
    const other = port === undefined ? `${authority}:${policy.mesh?.ingress.own?.listen ?? 443}` : bare;
    return {
      service,
      domains: sameName.length > 1 ? [authority] : [authority, other],
    };
  });
}

/** The Host headers of requests that a rule allows. */
export function domainsOf(rule: Rule, authorities: readonly EnvoyAuthority[]): readonly string[] {
  const found = authorities.find(({ service }) => service.name === rule.service);
  if (found === undefined) throw new Error(`envoy: rule ${rule.id} names a service without an authority`);
  return found.domains;
}
