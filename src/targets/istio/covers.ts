import type { Policy } from '../../policy/types.ts';
import { compile } from '../../rules/compile.ts';
import { writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { indistinctIn, sharingText } from '../indistinct.ts';
import { encodableOf } from '../odd-paths.ts';
import type { Coverage, Gap } from '../types.ts';
import { uncounted } from '../uncounted.ts';
import { anonymousAssertions, unitedHosts, widerTexts } from '../wider.ts';
import { istioRules, placeOf, unreachable } from './scene.ts';
import { toolGaps, widerTools } from './tools.ts';

/** Seconds that Envoy lets an assertion live on; Istio has no setting for it. */
const ISTIO_SKEW = 60;

const NO_PLACE =
  'the policy does not say where the workload is, so only the ingress guards it, and whoever reaches it past the ingress is not refused; write namespace and labels';

const NO_ACCOUNT =
  'workloads cannot tell the ingress from others, so they are not guarded; write mesh.ingress.service_account';

/**
 * How well Istio holds one rule: exactly at both layers where the gateway signs assertions and the policy says where
 * the workload is, as long as neither another host of the service nor an anonymous caller's assertion passes as well; tools
 * as far as names are written whole.
 */
export function covers(rule: Rule, policy: Policy): Coverage {
  const service = policy.services[rule.service];
  const why = service && unreachable(service);
  if (service === undefined || why !== undefined) return { kind: 'none', text: why ?? 'no such service' };
  if (policy.gateway.assertion === undefined) {
    const all = istioRules(policy, compile(policy));
    const own = all.filter(({ id }) => writtenId(id) === rule.id);
    const indistinct = indistinctIn(all, policy);
    const [one, others = []] = own.map((it) => [it, indistinct(it)] as const).find(([, found]) => found.length > 0) ?? [
      undefined,
    ];
    if (one !== undefined)
      return {
        kind: 'wider',
        text: `without an assertion Istio sees the identity and not the role: ${sharingText(one, others, policy)}`,
      };
  }
  if (policy.mesh?.ingress.serviceAccount === undefined) return { kind: 'wider', text: NO_ACCOUNT };
  if (placeOf(service) === undefined) return { kind: 'wider', text: NO_PLACE };
  const tools = rule.who.kind === 'agent' && rule.who.tools !== undefined ? [widerTools(rule.who.tools)] : [];
  const texts = [...tools, ...widerTexts(policy, istioRules(policy, compile(policy)), rule.id, 'Istio')];
  return texts.length === 0 ? { kind: 'exact' } : { kind: 'wider', text: texts.join('; ') };
}

function serviceGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const asked = new Set(rules.map(({ service }) => service));
  return Object.values(policy.services).flatMap((service): Gap[] => {
    if (!asked.has(service.name)) return [];
    const text = unreachable(service) ?? (placeOf(service) === undefined ? NO_PLACE : undefined);
    return text === undefined ? [] : [{ part: `services.${service.name}`, text }];
  });
}

function assertionGaps({ gateway }: Policy): readonly Gap[] {
  if (gateway.assertion === undefined) {
    const text =
      'the gateway signs no assertion, so the ingress tells callers apart by the identity of the connection alone, and a workload not even by that: it takes whatever any rule allows; write gateway.assertion';
    return [{ part: 'gateway', text }];
  }
  if (gateway.clockSkew >= ISTIO_SKEW) return [];
  const text = `Istio takes an assertion for ${ISTIO_SKEW} s after it has expired, whatever gateway.clock_skew says`;
  return [{ part: 'gateway.assertion', text }];
}

function pathGaps(own: readonly Rule[]): readonly Gap[] {
  const characters = encodableOf(own);
  const first = own.find((rule) => encodableOf([rule]).length > 0);
  return [
    {
      part: 'mesh',
      text: 'Istio matches paths without decoding them: the ingress answers odd ones with 400, a workload does not look; set pathNormalization to DECODE_AND_MERGE_SLASHES in the mesh config, so that both read slashes as the services do',
    },
    ...(first === undefined
      ? []
      : [
          {
            part: first.id,
            text: `the ingress also refuses paths where a client percent-encodes ${characters.join(' ')}, which paths of the policy hold`,
          },
        ]),
  ];
}

/** All that Istio does not hold, or holds differently. */
export function gapsOf(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const { mesh } = policy;
  const account = mesh?.ingress.serviceAccount === undefined ? [{ part: 'mesh', text: NO_ACCOUNT }] : [];
  return [
    ...serviceGaps(policy, rules),
    ...account,
    ...assertionGaps(policy),
    ...pathGaps(istioRules(policy, rules)),
    ...toolGaps(istioRules(policy, rules)),
    ...unitedHosts(istioRules(policy, rules), 'Istio'),
    ...anonymousAssertions(policy, istioRules(policy, rules), 'Istio'),
    ...uncounted(policy, 'Istio'),
  ];
}
