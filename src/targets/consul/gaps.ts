import type { Policy } from '../../policy/checked/types.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { directGaps, endsText, identityGaps } from '../kit/gaps.ts';
import type { Enforcement } from '../kit/mesh.ts';
import { methodTexts } from '../kit/methods.ts';
import { callersText, indistinctIn, othersText } from '../kit/rules.ts';
import { twiceText } from '../kit/tool-messages.ts';
import type { Gap } from '../types.ts';
import { consulRules, sourcesOf } from './destinations.ts';
import type { ConsulKeySet } from './entries.ts';

/** How many seconds after its end Consul's proxies still accept an assertion. */
const ENVOY_SKEW = 60;

const HOST =
  'intentions do not see the host of a request, so only the path decides; give each service its own name in Consul';

const DEFAULT =
  'a token is required only in a mesh that denies by default: set default_intention_policy, or the ACLs’ default_policy, to deny';

const ROUTER =
  'a service-router of Consul may rewrite a path before the intentions see it, so they decide about another path than the gateway; write none for these services, or let prove see it';

const OPEN =
  'in a mesh that allows by default, a certificate of the mesh’s CA that names no service of the default namespace, such as that of a mesh gateway or an agent, passes everywhere: set default_intention_policy, or the ACLs’ default_policy, to deny';

const REMOTE =
  'proxies accept the gateway’s keys from any server with a certificate of mesh.assertion_ca_file, whatever name it has: let that CA sign only for the gateway, or give --assertion-jwks';

/** Consul cannot require that a request has no assertion. */
const AGENTS = 'intentions cannot exclude agents: if anyone passes, agents pass too; only the gateway denies them';

/** The text for an identity that Consul does not know. */
export const unknownText = (spiffe: string | undefined): string =>
  `${spiffe ?? 'the identity'} is not a service in Consul’s default namespace, so the rule allows nothing; write mesh.ingress.consul_service, or a SPIFFE id …/ns/default/dc/DATACENTER/svc/NAME`;

/** The rules that Consul enforces. At the workload it sees the path, the method, the source and, in the assertion, the
 * service, identity, role and agent. It never sees the host. Without an assertion it cannot distinguish callers from
 * the same source. */
export function enforcedByConsul(policy: Policy, rules: readonly Rule[]): Enforcement {
  const held = consulRules(policy, rules);
  const isSigned = policy.gateway.assertion !== undefined;
  const source = (rule: Rule) => sourcesOf(policy, rule).join(' or ');
  const indistinct = isSigned ? () => [] : indistinctIn(held, (rule) => JSON.stringify([rule.service, source(rule)]));
  const roleText = (rule: Enforced, others: readonly Enforced[]) =>
    `without an assertion, Consul sees the source and not the role: on the same requests, ${callersText(rule)} and ${othersText(others)} come as the same source ${source(rule)}; write gateway.assertion`;
  return {
    rules: held,
    wider: (rule) => {
      const others = indistinct(rule);
      return [
        ...(rule.tools === undefined ? [] : [twiceText('Consul’s proxies')]),
        ...(others.length === 0 ? [] : [roleText(rule, others)]),
        ...methodTexts(rule, 'intentions'),
        ...(rule.who.kind === 'anyone' && rule.agent !== undefined && isSigned ? [AGENTS] : []),
      ];
    },
  };
}

/** The gaps for what Consul does not enforce at all. */
export function notEnforcedGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const unknown = new Set(
    rules.flatMap((rule) => (policy.mesh && rule.as !== '' && sourcesOf(policy, rule).length === 0 ? rule.as : [])),
  );
  return [
    ...directGaps(
      policy,
      rules,
      'nginx connects to the service directly and not through the mesh, so Consul does not enforce its rules',
    ),
    ...[...unknown].map((name) => ({
      part: `mesh.identities.${name}`,
      text: unknownText(policy.mesh?.identities[name]?.spiffe),
    })),
  ];
}

/** The gaps that exist because the ingress replaces nginx's identity, if there is no assertion. */
function endingGaps({ mesh, gateway }: Policy, rules: readonly Rule[]): readonly Gap[] {
  const ingresses =
    Object.keys(mesh?.ingresses ?? {}).length > 1 ? Object.values(mesh?.ingresses ?? {}) : [mesh?.ingress];
  const ingress = ingresses.flatMap((it) => it?.consulService ?? []).join(', ');
  return gateway.assertion !== undefined || ingress === '' ? [] : identityGaps(rules, endsText(ingress));
}

function assertionGaps({ gateway }: Policy, keys: ConsulKeySet | undefined): readonly Gap[] {
  if (keys === undefined) return [];
  const skew = `proxies accept an assertion for ${ENVOY_SKEW} s after it has expired, whatever gateway.clock_skew says: Consul does not give them the entry’s ClockSkewSeconds`;
  return [
    { part: 'mesh', text: DEFAULT },
    ...(gateway.clockSkew < ENVOY_SKEW ? [{ part: 'gateway.assertion', text: skew }] : []),
    ...('Remote' in keys ? [{ part: 'mesh', text: REMOTE }] : []),
  ];
}

/** The gaps that only Consul has. Without `keys`, proxies need no keys of the gateway. */
export function consulGaps(policy: Policy, rules: readonly Rule[], keys: ConsulKeySet | undefined): readonly Gap[] {
  const { rules: held, wider } = enforcedByConsul(policy, rules);
  const lacks = held.flatMap((rule) => wider(rule).map((text) => ({ part: writtenId(rule.id), text })));
  return [
    { part: 'mesh', text: HOST },
    { part: 'mesh', text: OPEN },
    { part: 'mesh', text: ROUTER },
    ...endingGaps(policy, rules),
    ...assertionGaps(policy, keys),
    ...new Map(lacks.map((gap) => [JSON.stringify(gap), gap])).values(),
  ];
}
