import { ingressesFor } from '../../policy/checked/ingresses.ts';
import type { Ingress, Policy, Service } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import type { Enforcement } from '../kit/mesh.ts';
import { connectionOf, indistinctIn, sharingText } from '../kit/rules.ts';
import type { Gap } from '../types.ts';
import { completePlace, ingressPrincipals, istioRules, unreachable } from './services.ts';
import { widerTools } from './tools.ts';

/** How many seconds after its end Envoy still accepts an assertion. Istio has no setting for this. */
const ISTIO_SKEW = 60;

const NO_PLACE =
  'the policy does not say where the workload runs, so only the ingress enforces the rule, and a client that reaches the workload without the ingress is not denied; write namespace and labels';

const NO_PORT =
  'the policy does not say on which port the workload listens, so the rules of this service apply to every port of its pods; write port';

const NO_ACCOUNT =
  'workloads cannot distinguish the ingress from others, so they enforce nothing; write mesh.ingress.service_account';

/** The rules that Istio enforces. Both layers enforce them exactly if the gateway signs assertions and the policy says
 * where the workload runs. Tools are enforced exactly only if a rule writes their names in full. */
export function enforcedByIstio(policy: Policy, rules: readonly Rule[]): Enforcement {
  const own = istioRules(policy, rules);
  const isSigned = policy.gateway.assertion !== undefined;
  const indistinct = isSigned ? () => [] : indistinctIn(own, connectionOf(policy));
  return {
    rules: own,
    wider: (rule: Enforced) => {
      const others = indistinct(rule);
      const sharing = `without an assertion Istio sees the identity and not the role: ${sharingText(rule, others, policy)}`;
      const service = policy.services[rule.service];
      const hasPlace = completePlace(service ?? {}) !== undefined;
      const hasAccount = policy.mesh && service && ingressPrincipals({ mesh: policy.mesh }, service).length > 0;
      return [
        ...(others.length > 0 ? [sharing] : []),
        ...(hasAccount ? [] : [NO_ACCOUNT]),
        ...(hasAccount && !hasPlace ? [NO_PLACE] : []),
        ...(rule.tools === undefined ? [] : [widerTools(rule.tools)]),
      ];
    },
  };
}

function serviceGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const routed = new Set(rules.map(({ service }) => service));
  const textOf = (service: Service) =>
    unreachable(service) ??
    (completePlace(service) === undefined ? NO_PLACE : service.port === undefined ? NO_PORT : undefined);
  return Object.values(policy.services).flatMap((service): Gap[] => {
    const text = routed.has(service.name) ? textOf(service) : undefined;
    return text === undefined ? [] : [{ part: `services.${service.name}`, text }];
  });
}

function assertionGaps({ gateway }: Policy): readonly Gap[] {
  if (gateway.assertion === undefined) {
    const text =
      'the gateway signs no assertion, so the ingress distinguishes callers only by the identity of the connection, and a workload does not distinguish callers: it allows whatever any rule allows; write gateway.assertion';
    return [{ part: 'gateway', text }];
  }
  if (gateway.clockSkew >= ISTIO_SKEW) return [];
  const text = `Istio accepts an assertion for ${ISTIO_SKEW} s after it has expired, whatever gateway.clock_skew says`;
  return [{ part: 'gateway.assertion', text }];
}

/** The ingresses that lead to services of the policy. */
const ingressesOf = ({ mesh, services }: Policy): readonly Ingress[] =>
  mesh === undefined
    ? []
    : Object.values(services).flatMap((service) => (service.direct ? [] : ingressesFor(mesh, service)));

/** The gaps that only Istio has. */
export function istioGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  return [
    ...serviceGaps(policy, rules),
    ...(ingressesOf(policy).some(({ serviceAccount }) => serviceAccount === undefined)
      ? [{ part: 'mesh', text: NO_ACCOUNT }]
      : []),
    ...assertionGaps(policy),
    {
      part: 'mesh',
      text: 'Istio matches paths without decoding them: the ingress answers 400 if a path is not canonical, and a workload does not check this; set pathNormalization to DECODE_AND_MERGE_SLASHES in the mesh config, so that both read slashes as the services do',
    },
  ];
}
