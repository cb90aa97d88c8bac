import type { Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { meshRule } from '../kit/rules.ts';
import { namedTools } from '../kit/tool-messages.ts';
import { ingressView, rulesAtIngress } from './ingress.ts';
import { workloadViews } from './layers.ts';
import { groupRules, type View } from './rule.ts';
import { istioContext, istioLacks, workloadName } from './services.ts';

/** The file name in rules that were read from a mesh. */
export const ISTIO_FILE = 'istio';

/** The assertion that a rule requires, in words. */
export const istioAssertedText = (as: string, audience: string, issuer: string) =>
  `as ${as}, for ${audience}, by ${issuer}`;

/** The host name that stands for a workload in rules, with the only port to which the rules apply. */
export const workloadHost = (namespace: string, name: string, port?: number | string): string =>
  `${namespace}/${name}${port === undefined ? '' : `:${port}`}`;

/** The pods of a workload's host name: all its ports. */
export const withoutPort = (host: string): string => host.replace(/:\d+$/, '');

/** The host of a rule: `name` stands for the name with any port, `=name` only for this exact authority. */
export const ruleHost = ([name = '', any]: readonly string[]): string => (any === undefined ? `=${name}` : name);

function projected(rule: Enforced, host: string, { assertion, principal }: View): MeshRule {
  const { tools, agent, alone } = rule;
  const isOpen = assertion === undefined || rule.who.kind === 'anyone';
  return meshRule(
    ISTIO_FILE,
    rule,
    { host, as: `spiffe://${principal(rule)}` },
    {
      who: isOpen ? { kind: 'anyone' } : rule.who,
      ...(assertion !== undefined && agent !== undefined && { agent }),
      ...(assertion !== undefined && alone && { alone }),
      ...(tools && { tools: namedTools(tools) }),
      ...(!isOpen && { asserted: istioAssertedText(rule.as, rule.service, assertion.issuer) }),
    },
  );
}

const seen = (rules: readonly Enforced[], host: string, view: View): readonly MeshRule[] =>
  groupRules(rules, view).flatMap((group) => group.map((rule) => projected(rule, host, view)));

/** The rules, reduced to what Istio can express: first the rules of the ingress, then those of the workloads. */
export function project(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  if (istioLacks(policy, rules) !== undefined) return [];
  const context = istioContext(policy, rules);
  const { services } = context;
  const atIngress = services.flatMap((it) =>
    seen(rulesAtIngress(context, it), ruleHost(it.hosts), ingressView(context, it)),
  );
  const atWorkloads = services.flatMap(({ rules, place, service }) => {
    if (place === undefined) return [];
    const host = workloadHost(place.namespace, workloadName(context, service, place), service.port);
    return workloadViews(context, service).flatMap((view) => seen(rules, host, view));
  });
  return [...atIngress, ...atWorkloads];
}
